package pod

import "time"

// Stats is what a container has consumed at a moment.
type Stats struct {
	Time                    time.Time
	CPU                     time.Duration // processor time since its start
	MemoryUsage, WorkingSet uint64        // bytes; the working set leaves out file pages that can go at once
	RSS                     uint64        // bytes
	MemoryLimit             uint64        // bytes; the machine's memory when there is no limit
	PageFaults, MajorFaults uint64
	Processes               uint64
	Received, Sent          uint64 // bytes, of a sandbox that has its own network
}
