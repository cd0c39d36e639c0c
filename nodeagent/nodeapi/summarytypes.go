package nodeapi

import (
	"time"

	"leme/nodeagent/disk"
	"leme/nodeagent/pod"
)

// The parts of the kubelet's stats/v1alpha1 that are known here, named as there. Times are RFC 3339, memory is bytes.
type (
	summary struct {
		Node nodeSummary  `json:"node"`
		Pods []podSummary `json:"pods"`
	}
	nodeSummary struct {
		NodeName  string          `json:"nodeName"`
		StartTime time.Time       `json:"startTime"` // of the agent
		CPU       cpuSummary      `json:"cpu"`
		Memory    memorySummary   `json:"memory"`
		Network   *networkSummary `json:"network,omitempty"`
		Fs        *fsSummary      `json:"fs,omitempty"`
		Runtime   *runtimeSummary `json:"runtime,omitempty"`
	}
	runtimeSummary struct {
		ImageFs *fsSummary `json:"imageFs,omitempty"`
	}
	podSummary struct {
		PodRef     podReference       `json:"podRef"`
		StartTime  time.Time          `json:"startTime"`
		Containers []containerSummary `json:"containers"`
		CPU        cpuSummary         `json:"cpu"`
		Memory     memorySummary      `json:"memory"`
		Network    *networkSummary    `json:"network,omitempty"`
		Storage    *fsSummary         `json:"ephemeral-storage,omitempty"`
		Volumes    []volumeSummary    `json:"volume,omitempty"`
		Processes  *processSummary    `json:"process_stats,omitempty"`
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
		Rootfs    *fsSummary    `json:"rootfs,omitempty"`
		Logs      *fsSummary    `json:"logs,omitempty"`
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
		Time time.Time `json:"time"`
		interfaceSummary
		Interfaces []interfaceSummary `json:"interfaces"`
	}
	interfaceSummary struct {
		Name     string `json:"name"`
		RxBytes  uint64 `json:"rxBytes"`
		RxErrors uint64 `json:"rxErrors"`
		TxBytes  uint64 `json:"txBytes"`
		TxErrors uint64 `json:"txErrors"`
	}
	fsSummary struct {
		Time           time.Time `json:"time"`
		AvailableBytes *int64    `json:"availableBytes,omitempty"`
		CapacityBytes  *int64    `json:"capacityBytes,omitempty"`
		UsedBytes      *int64    `json:"usedBytes,omitempty"`
		InodesFree     *int64    `json:"inodesFree,omitempty"`
		Inodes         *int64    `json:"inodes,omitempty"`
		InodesUsed     *int64    `json:"inodesUsed,omitempty"`
	}
	volumeSummary struct {
		fsSummary
		Name   string          `json:"name"`
		PVCRef *claimReference `json:"pvcRef,omitempty"`
	}
	claimReference struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	}
	processSummary struct {
		ProcessCount uint64 `json:"process_count"`
	}
)

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

// spaceOf is a whole disk; nil when it is not known.
func spaceOf(at time.Time, s *disk.Space) *fsSummary {
	if s == nil {
		return nil
	}
	out := &fsSummary{Time: at, AvailableBytes: &s.Free, CapacityBytes: &s.Total, UsedBytes: pointer(s.Total - s.Free)}
	if s.Inodes > 0 {
		out.Inodes, out.InodesFree, out.InodesUsed = &s.Inodes, &s.InodesFree, pointer(s.Inodes-s.InodesFree)
	}
	return out
}

// usedOf is a part of a disk.
func usedOf(at time.Time, on *disk.Space, used disk.Usage) *fsSummary {
	out := spaceOf(at, on)
	if out == nil {
		out = &fsSummary{Time: at}
	}
	out.UsedBytes, out.InodesUsed = &used.Bytes, &used.Inodes
	return out
}

func runtimeOf(d disks) *runtimeSummary {
	if d.images == nil {
		return nil
	}
	return &runtimeSummary{ImageFs: spaceOf(d.at, d.images)}
}
