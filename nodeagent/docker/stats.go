package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"leme/nodeagent/pod"
)

// Stats asks what a running container has consumed. Of one that does not run the figures are zero.
func (r *Runtime) Stats(ctx context.Context, id string) (pod.Stats, error) {
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
	out := pod.Stats{
		Time:        s.Read,
		CPU:         time.Duration(s.CPUStats.CPUUsage.TotalUsage),
		MemoryUsage: s.MemoryStats.Usage,
		MemoryLimit: s.MemoryStats.Limit,
		PageFaults:  s.MemoryStats.Stats["pgfault"],
		MajorFaults: s.MemoryStats.Stats["pgmajfault"],
		Processes:   s.PidsStats.Current,
	}
	// The names are cgroup v1's first and v2's second.
	out.RSS = either(s.MemoryStats.Stats, "total_rss", "anon")
	inactive := either(s.MemoryStats.Stats, "total_inactive_file", "inactive_file")
	out.WorkingSet = out.MemoryUsage - min(inactive, out.MemoryUsage)
	for _, n := range s.Networks {
		out.Received += n.RxBytes
		out.Sent += n.TxBytes
	}
	return out
}

func either(figures map[string]uint64, names ...string) uint64 {
	for _, name := range names {
		if v, ok := figures[name]; ok {
			return v
		}
	}
	return 0
}
