package cgroup

import (
	"bytes"
	"path/filepath"
	"time"
)

func (g Group) readV2() (Usage, error) {
	dir := filepath.Join(g.host.sys(), g.Name) + "/"
	u := Usage{}
	var used, user, system, throttled uint64
	err := figures(dir+"cpu.stat", map[string]*uint64{
		"usage_usec": &used, "user_usec": &user, "system_usec": &system,
		"nr_periods": &u.Periods, "nr_throttled": &u.ThrottledPeriods, "throttled_usec": &throttled,
	})
	if err != nil {
		return Usage{}, err
	}
	u.CPU, u.User, u.System, u.ThrottledTime = micro(used), micro(user), micro(system), micro(throttled)
	if u.Memory, err = number(dir + "memory.current"); err != nil {
		return Usage{}, err
	}
	var inactive uint64
	if err := figures(dir+"memory.stat", map[string]*uint64{
		"inactive_file": &inactive, "anon": &u.RSS, "file": &u.Cache, "file_mapped": &u.Mapped,
		"pgfault": &u.PageFaults, "pgmajfault": &u.MajorFaults,
	}); err != nil {
		return Usage{}, err
	}
	u.WorkingSet = less(u.Memory, inactive)
	u.MemoryMax = optional(dir + "memory.peak")
	u.MemoryLimit = optional(dir + "memory.max")
	u.Swap = optional(dir + "memory.swap.current")
	u.Processes = optional(dir + "pids.current")
	_ = figures(dir+"memory.events", map[string]*uint64{"max": &u.MemoryFailures}) // the root has none
	u.addDisks(dir + "io.stat")
	return u, nil
}

func micro(n uint64) time.Duration { return time.Duration(n) * time.Microsecond }

// addDisks adds up io.stat, a line a disk: "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0". Where there is none
// nothing is added.
func (u *Usage) addDisks(path string) {
	of := map[string]*uint64{"rbytes": &u.ReadBytes, "wbytes": &u.WrittenBytes, "rios": &u.Reads, "wios": &u.Writes}
	_ = read(path, func(text []byte) {
		for field := range bytes.FieldsSeq(text) {
			name, value, _ := bytes.Cut(field, []byte("="))
			if total, ok := of[string(name)]; ok {
				add(total, value)
			}
		}
	})
}
