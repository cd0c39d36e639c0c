package cgroup

import (
	"bytes"
	"math"
	"path/filepath"
	"time"
)

// tick is the unit of cpuacct.stat: the kernel shows it to programs as a hundredth of a second.
const tick = 10 * time.Millisecond

// unlimited is from where on a limit of version 1 means none: the kernel rounds the largest number to pages.
const unlimited = math.MaxInt64 &^ (1<<20 - 1)

func (g Group) readV1() (Usage, error) {
	dir := func(controller string) string { return filepath.Join(g.host.sys(), controller, g.v1[controller]) + "/" }
	memory, cpuacct, blkio := dir("memory"), dir("cpuacct"), dir("blkio")
	used, err := number(cpuacct + "cpuacct.usage")
	if err != nil {
		return Usage{}, err
	}
	u := Usage{CPU: time.Duration(used)}
	if u.Memory, err = number(memory + "memory.usage_in_bytes"); err != nil {
		return Usage{}, err
	}
	var inactive uint64
	if err := figures(memory+"memory.stat", map[string]*uint64{
		"total_inactive_file": &inactive, "total_rss": &u.RSS, "total_cache": &u.Cache, "total_mapped_file": &u.Mapped,
		"total_swap": &u.Swap, "total_pgfault": &u.PageFaults, "total_pgmajfault": &u.MajorFaults,
	}); err != nil {
		return Usage{}, err
	}
	u.WorkingSet = less(u.Memory, inactive)
	u.MemoryMax = optional(memory + "memory.max_usage_in_bytes")
	if limit := optional(memory + "memory.limit_in_bytes"); limit < unlimited {
		u.MemoryLimit = limit
	}
	u.MemoryFailures = optional(memory + "memory.failcnt")
	u.Processes = optional(dir("pids") + "pids.current")
	u.addTimes(cpuacct+"cpuacct.stat", dir("cpu")+"cpu.stat")
	u.ReadBytes, u.WrittenBytes = transferred(blkio + "blkio.throttle.io_service_bytes")
	u.Reads, u.Writes = transferred(blkio + "blkio.throttle.io_serviced")
	return u, nil
}

// addTimes adds what not every group has: of what kind its processor time was, and how its quota held it up.
func (u *Usage) addTimes(kinds, quota string) {
	var user, system, throttled uint64
	if err := figures(kinds, map[string]*uint64{"user": &user, "system": &system}); err == nil {
		u.User, u.System = time.Duration(user)*tick, time.Duration(system)*tick
	}
	if err := figures(quota, map[string]*uint64{
		"nr_periods": &u.Periods, "nr_throttled": &u.ThrottledPeriods, "throttled_time": &throttled,
	}); err == nil {
		u.ThrottledTime = time.Duration(throttled)
	}
}

// transferred adds up the lines of all disks: "8:0 Read 4096".
func transferred(path string) (bytesRead, written uint64) {
	err := read(path, func(text []byte) {
		for line := range bytes.Lines(text) {
			_, rest, _ := bytes.Cut(line, []byte(" "))
			operation, value, _ := bytes.Cut(rest, []byte(" "))
			switch string(operation) {
			case "Read":
				add(&bytesRead, value)
			case "Write":
				add(&written, value)
			}
		}
	})
	if err != nil {
		return 0, 0
	}
	return bytesRead, written
}
