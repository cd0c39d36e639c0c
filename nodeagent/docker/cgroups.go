package docker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"leme/nodeagent/pod"
)

// cgroups is where the host's control groups are mounted.
type cgroups struct {
	unified     bool     // version 2: one hierarchy for all controllers
	cpu, memory string   // of their controllers; the same where they are unified
	all         []string // every hierarchy, for removing what the engine has made in it
}

// findCgroups reads a process' mounts (proc(5), /proc/PID/mountinfo).
func findCgroups(mountinfo string) cgroups {
	var c cgroups
	for line := range strings.Lines(mountinfo) {
		mounted, kind, ok := strings.Cut(strings.TrimSpace(line), " - ")
		at, what := strings.Fields(mounted), strings.Fields(kind)
		if !ok || len(at) < 5 || len(what) < 3 || !strings.HasPrefix(what[0], "cgroup") || slices.Contains(c.all, at[4]) {
			continue
		}
		c.all = append(c.all, at[4])
		if what[0] == "cgroup2" {
			if c.memory == "" {
				c.unified, c.cpu, c.memory = true, at[4], at[4]
			}
			continue
		}
		controllers := strings.Split(what[2], ",")
		if slices.Contains(controllers, "cpu") {
			c.cpu = at[4]
		}
		if slices.Contains(controllers, "memory") {
			c.unified, c.memory = false, at[4]
		}
	}
	return c
}

// setting is what is to be written to a file of a control group.
type setting struct{ file, value string }

// settings hold a group to a share, memory first: the order counts where swap is limited with it.
func (c cgroups) settings(s pod.Share) (memory, cpu []setting) {
	number := func(n int64, none string) string {
		if n == 0 {
			return none
		}
		return strconv.FormatInt(n, 10)
	}
	if c.unified {
		weight := 1 + (s.Weight-2)*9999/262142 // as runc turns shares into weights
		return []setting{{"memory.max", number(s.Memory, "max")}},
			[]setting{{"cpu.weight", strconv.FormatInt(weight, 10)}, {"cpu.max", fmt.Sprintf("%s %d", number(s.Quota, "max"), pod.CPUPeriod)}}
	}
	return []setting{{"memory.limit_in_bytes", number(s.Memory, "-1")}},
		[]setting{{"cpu.shares", strconv.FormatInt(s.Weight, 10)}, {"cpu.cfs_period_us", strconv.Itoa(pod.CPUPeriod)}, {"cpu.cfs_quota_us", number(s.Quota, "-1")}}
}

// hold makes a group, where it is not there, and holds it to a share.
func (c cgroups) hold(group string, s pod.Share) error {
	memory, cpu := c.settings(s)
	for _, of := range []struct {
		root     string
		settings []setting
	}{{c.memory, memory}, {c.cpu, cpu}} {
		if of.root == "" {
			return errors.New("the host has no control groups for memory and processors")
		}
		if err := c.open(of.root, group); err != nil {
			return fmt.Errorf("making the pod's control group: %w", err)
		}
		for _, set := range of.settings {
			if err := os.WriteFile(filepath.Join(of.root, group, set.file), []byte(set.value), 0o644); err != nil {
				return fmt.Errorf("holding the pod to its resources: %w", err)
			}
		}
	}
	return nil
}

// open makes a group and those above it; in a unified hierarchy each hands the controllers down.
func (c cgroups) open(root, group string) error {
	if err := os.MkdirAll(filepath.Join(root, group), 0o755); err != nil || !c.unified {
		return err
	}
	for above := filepath.Dir(group); ; above = filepath.Dir(above) {
		if err := os.WriteFile(filepath.Join(root, above, "cgroup.subtree_control"), []byte("+cpu +memory"), 0o644); err != nil {
			return err
		}
		if above == "/" || above == "." {
			return nil
		}
	}
}

// remove removes a group, and the empty ones below it, from all hierarchies. One that is not there is no error.
func (c cgroups) remove(group string) error {
	var errs []error
	for _, root := range c.all {
		var dirs []string
		err := filepath.WalkDir(filepath.Join(root, group), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, dir := range slices.Backward(dirs) {
			if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
