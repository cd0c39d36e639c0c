package docker

import (
	"errors"
	"strings"
	"time"

	"leme/nodeagent/cgroup"
	"leme/nodeagent/pod"
)

// errNotSeen is for containers whose control group is not known here: the engine is on another machine, or the agent
// does not see its processes.
var errNotSeen = errors.New("the container's control group cannot be seen")

// kernelStats reads the control group of a container that was seen running. Its name has the container's ID in it,
// whatever driver the engine uses; another's is not read, though a process may have taken the number.
func (r *Runtime) kernelStats(id string, now time.Time) (pod.Stats, error) {
	r.mu.Lock()
	c, ok := r.inspected[id]
	r.mu.Unlock()
	if !ok || c.State != pod.Running || c.PID <= 0 || !strings.HasPrefix(r.engine.DaemonHost(), "unix://") {
		return pod.Stats{}, errNotSeen
	}
	host := cgroup.Host{}
	group, err := host.Of(c.PID)
	if err != nil || !strings.Contains(group.Name, id) {
		return pod.Stats{}, errNotSeen
	}
	u, err := group.Read()
	if err != nil {
		return pod.Stats{}, err
	}
	stats := ofGroup(u, now)
	stats.Group = group.Name
	if !c.Sandbox || c.IP == "" {
		return stats, nil
	}
	interfaces, err := host.Interfaces(c.PID)
	for _, i := range interfaces {
		connect(&stats, pod.InterfaceStats(i))
	}
	return stats, err
}

// ofGroup is what a control group has used, in the agent's words.
func ofGroup(u cgroup.Usage, now time.Time) pod.Stats {
	return pod.Stats{
		Time: now,
		CPU:  u.CPU, User: u.User, System: u.System,
		Periods: u.Periods, ThrottledPeriods: u.ThrottledPeriods, ThrottledTime: u.ThrottledTime,
		MemoryUsage: u.Memory, WorkingSet: u.WorkingSet, MemoryMax: u.MemoryMax,
		RSS: u.RSS, Cache: u.Cache, Mapped: u.Mapped, Swap: u.Swap,
		MemoryLimit: u.MemoryLimit, MemoryFailures: u.MemoryFailures,
		PageFaults: u.PageFaults, MajorFaults: u.MajorFaults,
		Processes: u.Processes,
		ReadBytes: u.ReadBytes, WrittenBytes: u.WrittenBytes, Reads: u.Reads, Writes: u.Writes,
	}
}
