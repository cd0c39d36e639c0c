package cgroup

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of cpuacct.stat: the kernel shows it to programs as a hundredth of a second.
const tick = 10 * time.Millisecond

// unlimited is from where on a limit of version 1 means none: the kernel rounds the largest number to pages.
const unlimited = math.MaxInt64 &^ (1<<20 - 1)

func (g Group) readV1() (Usage, error) {
	dir := func(controller string) string { return filepath.Join(g.host.sys(), controller, g.v1[controller]) }
	used, err := number(dir("cpuacct"), "cpuacct.usage")
	if err != nil {
		return Usage{}, err
	}
	memory, err := number(dir("memory"), "memory.usage_in_bytes")
	if err != nil {
		return Usage{}, err
	}
	stat, err := figures(dir("memory"), "memory.stat")
	if err != nil {
		return Usage{}, err
	}
	u := Usage{
		CPU:            time.Duration(used),
		Memory:         memory,
		MemoryMax:      optional(dir("memory"), "memory.max_usage_in_bytes"),
		MemoryLimit:    optional(dir("memory"), "memory.limit_in_bytes"),
		MemoryFailures: optional(dir("memory"), "memory.failcnt"),
		WorkingSet:     less(memory, stat["total_inactive_file"]),
		RSS:            stat["total_rss"],
		Cache:          stat["total_cache"],
		Mapped:         stat["total_mapped_file"],
		Swap:           stat["total_swap"],
		PageFaults:     stat["total_pgfault"],
		MajorFaults:    stat["total_pgmajfault"],
		Processes:      optional(dir("pids"), "pids.current"),
	}
	if u.MemoryLimit >= unlimited {
		u.MemoryLimit = 0
	}
	if times, err := figures(dir("cpuacct"), "cpuacct.stat"); err == nil {
		u.User, u.System = time.Duration(times["user"])*tick, time.Duration(times["system"])*tick
	}
	if quota, err := figures(dir("cpu"), "cpu.stat"); err == nil {
		u.Periods, u.ThrottledPeriods = quota["nr_periods"], quota["nr_throttled"]
		u.ThrottledTime = time.Duration(quota["throttled_time"])
	}
	u.ReadBytes, u.WrittenBytes = transferred(dir("blkio"), "blkio.throttle.io_service_bytes")
	u.Reads, u.Writes = transferred(dir("blkio"), "blkio.throttle.io_serviced")
	return u, nil
}

// transferred adds up the lines of all disks: "8:0 Read 4096".
func transferred(dir, name string) (read, written uint64) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		n, err := strconv.ParseUint(fields[2], 10, 64)
		switch {
		case err != nil:
		case fields[1] == "Read":
			read += n
		case fields[1] == "Write":
			written += n
		}
	}
	return read, written
}
