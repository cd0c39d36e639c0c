package nodeapi

import (
	"net/http"
	"os"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/cgroup"
	"leme/nodeagent/pod"
)

// summary answers as the kubelet's /stats/summary, of stats/v1alpha1.
func (s *Server) summary(w http.ResponseWriter, r *http.Request) {
	m, err := s.gauge.measure(r.Context())
	if err != nil {
		writeError(w, apierrors.NewInternalError(err))
		return
	}
	interfaces, err := cgroup.Host{}.Interfaces(os.Getpid())
	if err != nil {
		interfaces = nil // of another kernel's network
	}
	writeJSON(w, http.StatusOK, summarize(summaryView{
		node: s.Node, started: s.started, measurement: m, disks: s.disks(r.Context()), stored: s.store.known(), volumes: s.store.volumes(),
		interfaces: interfaces,
	}))
}

// summaryView is what a summary is made of.
type summaryView struct {
	*measurement
	disks
	node       string
	started    time.Time
	stored     map[string]stored
	volumes    map[types.UID][]volumeUse
	interfaces []cgroup.Interface // of the machine
}

// summarize gathers containers, which come in the order of their pods, under these.
func summarize(v summaryView) summary {
	node := v.measurement.node
	out := summary{
		Node: nodeSummary{
			NodeName: v.node, StartTime: v.started,
			CPU: cpuOf(node, v.rates, nodeRate), Memory: memoryOf(node, node.MemoryLimit),
			Network: networkOf(node.Time, machineInterfaces(v.interfaces)), Fs: spaceOf(v.disks.at, v.disks.node), Runtime: runtimeOf(v.disks),
		},
		Pods: []podSummary{},
	}
	for all := v.all; len(all) > 0; {
		n := 1
		for n < len(all) && all[n].PodUID == all[0].PodUID {
			n++
		}
		out.Pods = append(out.Pods, v.pod(all[:n]))
		all = all[n:]
	}
	return out
}

// machineInterfaces are those of the machine itself, in the agent's words.
func machineInterfaces(all []cgroup.Interface) []pod.InterfaceStats {
	var out []pod.InterfaceStats
	for _, i := range all {
		out = append(out, pod.InterfaceStats(i))
	}
	return out
}

func (v summaryView) pod(all []usage) podSummary {
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
		if r, ok := v.rates[u.ID]; ok {
			rate, rated = rate+r, true
		}
		if u.Started.Before(p.StartTime) {
			p.StartTime = u.Started
		}
		if u.Sandbox {
			p.Network = networkOf(u.Time, u.Interfaces)
			continue
		}
		p.Containers = append(p.Containers, v.container(u))
	}
	p.CPU, p.Memory = cpuOf(total, nil, ""), memoryOf(total, 0)
	p.Processes = &processSummary{total.Processes}
	if rated {
		p.CPU.UsageNanoCores = &rate
	}
	p.Storage = v.storage(p.Containers)
	for i := range v.volumes[first.PodUID] {
		p.Volumes = append(p.Volumes, v.volumes[first.PodUID][i].summary(first.PodNamespace))
	}
	return p
}

func (v summaryView) container(u usage) containerSummary {
	c := containerSummary{
		Name: u.Name, StartTime: u.Started, CPU: cpuOf(u.Stats, v.rates, u.ID), Memory: memoryOf(u.Stats, limit(u.Stats, v.measurement.node.MemoryLimit)),
	}
	if s, ok := v.stored[u.ID]; ok {
		c.Rootfs, c.Logs = usedOf(s.at, v.images, s.layer), usedOf(s.at, v.images, s.log)
	}
	return c
}

// storage is what the containers of a pod take together, as far as it is known.
func (v summaryView) storage(containers []containerSummary) *fsSummary {
	var total *fsSummary
	for _, c := range containers {
		for _, fs := range []*fsSummary{c.Rootfs, c.Logs} {
			switch {
			case fs == nil:
			case total == nil:
				copied := *fs
				copied.UsedBytes, copied.InodesUsed = pointer(*fs.UsedBytes), pointer(*fs.InodesUsed)
				total = &copied
			default:
				*total.UsedBytes += *fs.UsedBytes
				*total.InodesUsed += *fs.InodesUsed
			}
		}
	}
	return total
}

func pointer[T any](v T) *T { return &v }

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
	a.Processes += b.Processes
	a.Swap += b.Swap
	return a
}

// limit is a container's memory limit, 0 when it is only the machine's memory.
func limit(s pod.Stats, machine uint64) uint64 {
	if s.MemoryLimit >= machine {
		return 0
	}
	return s.MemoryLimit
}

// defaultInterface is the one that a pod has.
const defaultInterface = "eth0"

// networkOf tells of all interfaces, and first of the usual one.
func networkOf(at time.Time, all []pod.InterfaceStats) *networkSummary {
	if len(all) == 0 {
		return nil
	}
	n := &networkSummary{Time: at}
	for _, i := range all {
		n.Interfaces = append(n.Interfaces, interfaceSummary{i.Name, i.Received, i.ReceiveErrors, i.Sent, i.SendErrors})
	}
	n.interfaceSummary = n.Interfaces[0]
	if i := slices.IndexFunc(n.Interfaces, func(i interfaceSummary) bool { return i.Name == defaultInterface }); i >= 0 {
		n.interfaceSummary = n.Interfaces[i]
	}
	return n
}
