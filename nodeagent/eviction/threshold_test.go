package eviction

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func (a Amount) String() string {
	if a.Count > 0 {
		return fmt.Sprint(a.Count)
	}
	return fmt.Sprintf("%g%%", a.Share*100)
}

func (t Threshold) String() string {
	s := fmt.Sprintf("%s<%s", t.Signal, t.Value)
	if t.Grace > 0 {
		s += " for " + t.Grace.String()
	}
	if t.MinReclaim != (Amount{}) {
		s += fmt.Sprintf(" and %s more", t.MinReclaim)
	}
	return s
}

type statements = map[string]string

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name                       string
		hard, soft, grace, reclaim statements
		want                       string // the thresholds, or what the error says
	}{
		{"none", nil, nil, nil, nil, "[]"},
		{"the defaults", DefaultHard(), nil, nil, nil,
			"[memory.available<104857600 nodefs.available<10% nodefs.inodesFree<5% imagefs.available<15% imagefs.inodesFree<5%]"},
		{"soft", nil, statements{"memory.available": "1Gi"}, statements{"memory.available": "90s"}, nil, "[memory.available<1073741824 for 1m30s]"},
		{"both, with reclaim", statements{"pid.available": "10"}, statements{"pid.available": "20%"}, statements{"pid.available": "1m"},
			statements{"pid.available": "5"}, "[pid.available<10 and 5 more pid.available<20% for 1m0s and 5 more]"},
		{"switched off", statements{"nodefs.available": "0%", "imagefs.available": "100%"}, nil, nil, nil, "[]"},
		{"reclaim in percent", statements{"nodefs.available": "1Gi"}, nil, nil, statements{"nodefs.available": "5%"}, "[nodefs.available<1073741824 and 5% more]"},
		{"the memory of pods", statements{"allocatableMemory.available": "200Mi", "memory.available": "1Gi"}, nil, nil, nil,
			"[memory.available<1073741824 allocatableMemory.available<209715200]"},
		{"a disk for containers, which there is not", statements{"containerfs.available": "10%", "nodefs.available": "5%"},
			statements{"containerfs.inodesFree": "5%"}, statements{"containerfs.inodesFree": "1m"}, nil, "[nodefs.available<5%]"},
		{"no amount for it", statements{"containerfs.available": "lots"}, nil, nil, nil, "eviction threshold containerfs.available"},
		{"no grace for it", nil, statements{"containerfs.available": "5%"}, nil, nil, "grace period must be specified for the soft eviction threshold containerfs.available"},
		{"no such signal", statements{"mem.available": "1Gi"}, nil, nil, nil, "unsupported eviction signal mem.available"},
		{"grace of no such signal", nil, nil, statements{"mem.available": "1s"}, nil, "unsupported eviction signal mem.available"},
		{"reclaim of no such signal", nil, nil, nil, statements{"x": "1"}, "unsupported eviction signal x"},
		{"negative", statements{"memory.available": "-1Gi"}, nil, nil, nil, "must be positive"},
		{"nothing", statements{"memory.available": "0"}, nil, nil, nil, "must be positive"},
		{"too much", statements{"memory.available": "101%"}, nil, nil, nil, "must be <= 100%"},
		{"less than nothing", statements{"memory.available": "-5%"}, nil, nil, nil, "must be >= 0%"},
		{"not a number", statements{"memory.available": "lots"}, nil, nil, nil, "eviction threshold memory.available"},
		{"soft without grace", nil, statements{"memory.available": "1Gi"}, nil, nil, "grace period must be specified for the soft eviction threshold memory.available"},
		{"bad grace", nil, statements{"memory.available": "1Gi"}, statements{"memory.available": "soon"}, nil, "eviction grace period of memory.available"},
		{"negative grace", nil, statements{"memory.available": "1Gi"}, statements{"memory.available": "-1s"}, nil, "must be a positive value"},
		{"negative reclaim", nil, nil, nil, statements{"memory.available": "-1"}, "negative eviction minimum reclaim"},
		{"no percentage of reclaim", nil, nil, nil, statements{"memory.available": "0%"}, "must be positive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := Parse(c.hard, c.soft, c.grace, c.reclaim)
			got := fmt.Sprint(all)
			if err != nil {
				got = err.Error()
			}
			if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestState: one look after the other, and what each means.
func TestState(t *testing.T) {
	thresholds, err := Parse(statements{"memory.available": "100", "nodefs.available": "10%"},
		statements{"memory.available": "200"}, statements{"memory.available": "30s"}, statements{"nodefs.available": "5%"})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	memory := func(n int64) Observations {
		return Observations{MemoryAvailable: {n, 1000}, NodeFsAvailable: {500, 1000}}
	}
	nodefs := func(n int64) Observations {
		return Observations{MemoryAvailable: {900, 1000}, NodeFsAvailable: {n, 1000}}
	}
	type look struct {
		after time.Duration
		seen  Observations
		want  string
	}
	for _, c := range []struct {
		name  string
		looks []look
	}{
		{"enough", []look{{0, memory(900), "[] []"}}},
		{"just enough", []look{{0, memory(200), "[] []"}}},
		{"hard at once, and remembered for the transition period", []look{
			{0, memory(99), "[MemoryPressure] [memory.available<100]"},
			{10 * time.Second, memory(900), "[MemoryPressure] []"},
			{299 * time.Second, memory(900), "[MemoryPressure] []"},
			{300 * time.Second, memory(900), "[] []"}}},
		{"soft after its grace", []look{
			{0, memory(150), "[MemoryPressure] []"},
			{20 * time.Second, memory(150), "[MemoryPressure] []"},
			{30 * time.Second, memory(150), "[MemoryPressure] [memory.available<200 for 30s]"}}},
		{"soft, better in between", []look{
			{0, memory(150), "[MemoryPressure] []"},
			{20 * time.Second, memory(300), "[MemoryPressure] []"},
			{40 * time.Second, memory(150), "[MemoryPressure] []"}}},
		{"the hard one comes first", []look{
			{0, memory(150), "[MemoryPressure] []"},
			{40 * time.Second, memory(50), "[MemoryPressure] [memory.available<100 memory.available<200 for 30s]"}}},
		{"until what is to be reclaimed is free", []look{
			{0, nodefs(90), "[DiskPressure] [nodefs.available<10% and 5% more]"},
			{10 * time.Second, nodefs(149), "[DiskPressure] [nodefs.available<10% and 5% more]"},
			{20 * time.Second, nodefs(150), "[DiskPressure] []"},
			{30 * time.Second, nodefs(120), "[DiskPressure] []"}}},
		{"memory before disk", []look{{0, Observations{MemoryAvailable: {1, 1000}, NodeFsAvailable: {1, 1000}},
			"[DiskPressure MemoryPressure] [memory.available<100 nodefs.available<10% and 5% more]"}}},
		{"what cannot be observed is not short", []look{{0, Observations{}, "[] []"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s state
			for _, l := range c.looks {
				var d decision
				s, d = s.next(thresholds, l.seen, 5*time.Minute, begin.Add(l.after))
				if got := fmt.Sprint(d.Conditions, d.Due); got != l.want {
					t.Errorf("after %s: got %s, want %s", l.after, got, l.want)
				}
			}
		})
	}
}
