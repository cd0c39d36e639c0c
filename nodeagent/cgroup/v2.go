package cgroup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func (g Group) readV2() (Usage, error) {
	dir := filepath.Join(g.host.sys(), g.Name)
	cpu, err := figures(dir, "cpu.stat")
	if err != nil {
		return Usage{}, err
	}
	memory, err := number(dir, "memory.current")
	if err != nil {
		return Usage{}, err
	}
	stat, err := figures(dir, "memory.stat")
	if err != nil {
		return Usage{}, err
	}
	u := Usage{
		CPU:              micro(cpu["usage_usec"]),
		User:             micro(cpu["user_usec"]),
		System:           micro(cpu["system_usec"]),
		Periods:          cpu["nr_periods"],
		ThrottledPeriods: cpu["nr_throttled"],
		ThrottledTime:    micro(cpu["throttled_usec"]),
		Memory:           memory,
		MemoryMax:        optional(dir, "memory.peak"),
		MemoryLimit:      optional(dir, "memory.max"),
		WorkingSet:       less(memory, stat["inactive_file"]),
		RSS:              stat["anon"],
		Cache:            stat["file"],
		Mapped:           stat["file_mapped"],
		Swap:             optional(dir, "memory.swap.current"),
		PageFaults:       stat["pgfault"],
		MajorFaults:      stat["pgmajfault"],
		Processes:        optional(dir, "pids.current"),
	}
	if events, err := figures(dir, "memory.events"); err == nil {
		u.MemoryFailures = events["max"]
	}
	u.addDisks(dir)
	return u, nil
}

func micro(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }

// addDisks adds up io.stat, a line a disk: "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0".
func (u *Usage) addDisks(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "io.stat"))
	if err != nil {
		return
	}
	of := map[string]*uint64{"rbytes": &u.ReadBytes, "wbytes": &u.WrittenBytes, "rios": &u.Reads, "wios": &u.Writes}
	for field := range strings.FieldsSeq(string(text)) {
		name, value, _ := strings.Cut(field, "=")
		if total, ok := of[name]; ok {
			if n, err := strconv.ParseUint(value, 10, 64); err == nil {
				*total += n
			}
		}
	}
}
