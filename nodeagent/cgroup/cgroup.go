package cgroup

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Host is where the kernel shows its files. The zero value is this machine's.
type Host struct {
	Proc string // default /proc
	Sys  string // default /sys/fs/cgroup
}

func (h Host) proc() string { return orElse(h.Proc, "/proc") }
func (h Host) sys() string  { return orElse(h.Sys, "/sys/fs/cgroup") }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// Usage is what a group has used. Limits are 0 where there is none, and what the kernel does not tell is 0 too.
type Usage struct {
	CPU, User, System time.Duration // processor time
	Periods           uint64        // of the processors' quota
	ThrottledPeriods  uint64
	ThrottledTime     time.Duration

	Memory, MemoryMax       uint64 // bytes: now, and the most that it ever was
	MemoryLimit             uint64
	MemoryFailures          uint64 // how often the limit was hit
	WorkingSet              uint64 // what cannot go at once
	RSS, Cache, Mapped      uint64
	Swap                    uint64
	PageFaults, MajorFaults uint64

	Processes uint64

	ReadBytes, WrittenBytes uint64 // of disks
	Reads, Writes           uint64
}

// Group is one control group. Its name is its path below the root of the hierarchy.
type Group struct {
	Name string
	host Host
	v1   map[string]string // of each controller, its path; nil in version 2
}

// Of finds the group that a process is in.
func (h Host) Of(pid int) (Group, error) {
	var text string
	err := read(filepath.Join(h.proc(), strconv.Itoa(pid), "cgroup"), func(b []byte) { text = string(b) })
	if err != nil {
		return Group{}, fmt.Errorf("looking for a process's control group: %w", err)
	}
	g := Group{host: h, v1: map[string]string{}}
	unified := ""
	for line := range strings.Lines(text) {
		_, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		if controllers == "" {
			unified = path
		}
		for controller := range strings.SplitSeq(controllers, ",") {
			g.v1[controller] = path
		}
	}
	if _, ok := g.v1["memory"]; ok {
		g.Name = g.v1["memory"]
		return g, nil
	}
	if unified == "" {
		return Group{}, errors.New("a process's control group has no memory controller")
	}
	g.Name, g.v1 = unified, nil
	return g, nil
}

// Read tells what the group has used. An error is for what makes the whole worthless: the group is gone, or its files
// cannot be seen from here.
func (g Group) Read() (Usage, error) {
	if g.v1 == nil {
		return g.readV2()
	}
	return g.readV1()
}

// less is what is left of a without b.
func less(a, b uint64) uint64 { return a - min(a, b) }
