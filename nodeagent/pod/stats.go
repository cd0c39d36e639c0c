package pod

import "time"

// Stats is what a container has consumed at a moment, since its start. What is not told is 0.
type Stats struct {
	Time  time.Time
	Group string // the name of the control group

	CPU, User, System         time.Duration // processor time
	Periods, ThrottledPeriods uint64        // of its quota of processors
	ThrottledTime             time.Duration

	MemoryUsage, WorkingSet uint64 // bytes; the working set leaves out file pages that can go at once
	MemoryMax               uint64 // bytes that it ever used at once
	RSS, Cache, Mapped      uint64 // bytes
	Swap                    uint64 // bytes
	MemoryLimit             uint64 // bytes; the machine's memory or more, or 0, when there is no limit
	MemoryFailures          uint64 // how often that was hit
	PageFaults, MajorFaults uint64

	Processes uint64

	ReadBytes, WrittenBytes uint64 // of disks
	Reads, Writes           uint64

	Received, Sent uint64           // bytes, of a sandbox that has its own network
	Interfaces     []InterfaceStats // the same by interface
}

// InterfaceStats is what went over a network interface.
type InterfaceStats struct {
	Name                          string
	Received, Sent                uint64 // bytes
	ReceivedPackets, SentPackets  uint64
	ReceiveErrors, SendErrors     uint64
	ReceivesDropped, SendsDropped uint64
}
