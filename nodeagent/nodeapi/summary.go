package nodeapi

import (
	"time"

	"leme/nodeagent/pod"
)

// The parts of the kubelet's stats/v1alpha1 that are known here, named as there. Times are RFC 3339, memory is bytes.
type (
	summary struct {
		Node nodeSummary  `json:"node"`
		Pods []podSummary `json:"pods"`
	}
	nodeSummary struct {
		NodeName  string        `json:"nodeName"`
		StartTime time.Time     `json:"startTime"` // of the agent
		CPU       cpuSummary    `json:"cpu"`
		Memory    memorySummary `json:"memory"`
	}
	podSummary struct {
		PodRef     podReference       `json:"podRef"`
		StartTime  time.Time          `json:"startTime"`
		Containers []containerSummary `json:"containers"`
		CPU        cpuSummary         `json:"cpu"`
		Memory     memorySummary      `json:"memory"`
		Network    *networkSummary    `json:"network,omitempty"`
	}
	podReference struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		UID       string `json:"uid"`
	}
	containerSummary struct {
		Name      string        `json:"name"`
		StartTime time.Time     `json:"startTime"`
		CPU       cpuSummary    `json:"cpu"`
		Memory    memorySummary `json:"memory"`
	}
	cpuSummary struct {
		Time                 time.Time `json:"time"`
		UsageNanoCores       *uint64   `json:"usageNanoCores,omitempty"`
		UsageCoreNanoSeconds uint64    `json:"usageCoreNanoSeconds"`
	}
	memorySummary struct {
		Time            time.Time `json:"time"`
		AvailableBytes  *uint64   `json:"availableBytes,omitempty"` // none without a limit
		UsageBytes      uint64    `json:"usageBytes"`
		WorkingSetBytes uint64    `json:"workingSetBytes"`
		RSSBytes        uint64    `json:"rssBytes"`
		PageFaults      uint64    `json:"pageFaults"`
		MajorPageFaults uint64    `json:"majorPageFaults"`
	}
	networkSummary struct {
		Time    time.Time `json:"time"`
		Name    string    `json:"name"`
		RxBytes uint64    `json:"rxBytes"`
		TxBytes uint64    `json:"txBytes"`
	}
)

// summarize gathers containers, which come in the order of their pods, under these.
func summarize(name string, started time.Time, node pod.Stats, all []usage, rates map[string]uint64) summary {
	out := summary{
		Node: nodeSummary{NodeName: name, StartTime: started, CPU: cpuOf(node, rates, nodeRate), Memory: memoryOf(node, node.MemoryLimit)},
		Pods: []podSummary{},
	}
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].PodUID == all[0].PodUID {
			n++
		}
		out.Pods = append(out.Pods, summarizePod(all[:n], rates, node.MemoryLimit))
		all = all[n:]
	}
	return out
}

func summarizePod(all []usage, rates map[string]uint64, machine uint64) podSummary {
	first := all[0]
	p := podSummary{
		PodRef:     podReference{Name: first.PodName, Namespace: first.PodNamespace, UID: string(first.PodUID)},
		StartTime:  first.Started,
		Containers: []containerSummary{},
	}
	var total pod.Stats
	var rate uint64
	rated := false
	for _, u := range all {
		total = sum(total, u.Stats)
		if r, ok := rates[u.ID]; ok {
			rate, rated = rate+r, true
		}
		if u.Started.Before(p.StartTime) {
			p.StartTime = u.Started
		}
		if u.Sandbox {
			p.Network = &networkSummary{Time: u.Time, Name: "eth0", RxBytes: u.Received, TxBytes: u.Sent}
			continue
		}
		p.Containers = append(p.Containers, containerSummary{
			Name: u.Name, StartTime: u.Started, CPU: cpuOf(u.Stats, rates, u.ID), Memory: memoryOf(u.Stats, limit(u.Stats, machine)),
		})
	}
	p.CPU, p.Memory = cpuOf(total, nil, ""), memoryOf(total, 0)
	if rated {
		p.CPU.UsageNanoCores = &rate
	}
	return p
}

func sum(a, b pod.Stats) pod.Stats {
	if b.Time.After(a.Time) {
		a.Time = b.Time
	}
	a.CPU += b.CPU
	a.MemoryUsage += b.MemoryUsage
	a.WorkingSet += b.WorkingSet
	a.RSS += b.RSS
	a.PageFaults += b.PageFaults
	a.MajorFaults += b.MajorFaults
	return a
}

// limit is a container's memory limit, 0 when it is only the machine's memory.
func limit(s pod.Stats, machine uint64) uint64 {
	if s.MemoryLimit >= machine {
		return 0
	}
	return s.MemoryLimit
}

func cpuOf(s pod.Stats, rates map[string]uint64, id string) cpuSummary {
	c := cpuSummary{Time: s.Time, UsageCoreNanoSeconds: uint64(s.CPU)}
	if rate, ok := rates[id]; ok {
		c.UsageNanoCores = &rate
	}
	return c
}

func memoryOf(s pod.Stats, limit uint64) memorySummary {
	m := memorySummary{
		Time: s.Time, UsageBytes: s.MemoryUsage, WorkingSetBytes: s.WorkingSet, RSSBytes: s.RSS,
		PageFaults: s.PageFaults, MajorPageFaults: s.MajorFaults,
	}
	if limit > 0 {
		available := limit - min(s.WorkingSet, limit)
		m.AvailableBytes = &available
	}
	return m
}
