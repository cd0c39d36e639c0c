package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"leme/nodeagent/pod"
)

// Stats asks what a running container has consumed. Of one that does not run the figures are zero.
//
// The kernel's own files tell it in well under a millisecond, where they can be seen; the engine, which is asked else,
// samples once a second and makes callers wait for that.
func (r *Runtime) Stats(ctx context.Context, id string) (pod.Stats, error) {
	if stats, err := r.kernelStats(id, time.Now()); err == nil {
		return stats, nil
	}
	result, err := r.engine.ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return pod.Stats{}, fmt.Errorf("asking for a container's consumption: %w", err)
	}
	defer result.Body.Close()
	var s container.StatsResponse
	if err := json.NewDecoder(result.Body).Decode(&s); err != nil {
		return pod.Stats{}, fmt.Errorf("reading a container's consumption: %w", err)
	}
	return consumption(s), nil
}

func consumption(s container.StatsResponse) pod.Stats {
	memory := s.MemoryStats.Stats
	out := pod.Stats{
		Time:             s.Read,
		CPU:              time.Duration(s.CPUStats.CPUUsage.TotalUsage),
		User:             time.Duration(s.CPUStats.CPUUsage.UsageInUsermode),
		System:           time.Duration(s.CPUStats.CPUUsage.UsageInKernelmode),
		Periods:          s.CPUStats.ThrottlingData.Periods,
		ThrottledPeriods: s.CPUStats.ThrottlingData.ThrottledPeriods,
		ThrottledTime:    time.Duration(s.CPUStats.ThrottlingData.ThrottledTime),
		MemoryUsage:      s.MemoryStats.Usage,
		MemoryMax:        s.MemoryStats.MaxUsage,
		MemoryLimit:      s.MemoryStats.Limit,
		MemoryFailures:   s.MemoryStats.Failcnt,
		PageFaults:       memory["pgfault"],
		MajorFaults:      memory["pgmajfault"],
		Processes:        s.PidsStats.Current,
	}
	// The names are cgroup v1's first and v2's second.
	out.RSS = either(memory, "total_rss", "anon")
	out.Cache = either(memory, "total_cache", "file")
	out.Mapped = either(memory, "total_mapped_file", "file_mapped")
	inactive := either(memory, "total_inactive_file", "inactive_file")
	out.WorkingSet = out.MemoryUsage - min(inactive, out.MemoryUsage)
	for _, e := range s.BlkioStats.IoServiceBytesRecursive {
		switch strings.ToLower(e.Op) {
		case "read":
			out.ReadBytes += e.Value
		case "write":
			out.WrittenBytes += e.Value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Networks)) {
		n := s.Networks[name]
		connect(&out, pod.InterfaceStats{
			Name: name, Received: n.RxBytes, ReceivedPackets: n.RxPackets, ReceiveErrors: n.RxErrors, ReceivesDropped: n.RxDropped,
			Sent: n.TxBytes, SentPackets: n.TxPackets, SendErrors: n.TxErrors, SendsDropped: n.TxDropped,
		})
	}
	return out
}

// connect adds an interface to what a sandbox has consumed.
func connect(s *pod.Stats, i pod.InterfaceStats) {
	s.Interfaces = append(s.Interfaces, i)
	s.Received += i.Received
	s.Sent += i.Sent
}

func either(figures map[string]uint64, names ...string) uint64 {
	for _, name := range names {
		if v, ok := figures[name]; ok {
			return v
		}
	}
	return 0
}
