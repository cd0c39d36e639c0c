// Package host reads what a machine has and how much of it is in use, from the kernel's own files. Root is the host's
// root directory: os.DirFS("/"), or what a test makes up.
package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Memory is a machine's memory in bytes.
type Memory struct {
	Total      int64
	WorkingSet int64 // in use, without file pages that can go at once
	Swap       int64
}

// Available is what pods may still take before somebody has to go: the rest beside the working set, as the kubelet
// counts it.
func (m Memory) Available() int64 { return m.Total - m.WorkingSet }

// ReadMemory tells of the memory: by the root cgroup, as far as there is one.
func ReadMemory(root fs.FS) (Memory, error) {
	info, err := fields(root, "proc/meminfo")
	if err != nil {
		return Memory{}, err
	}
	m := Memory{Total: info["MemTotal"] << 10, Swap: info["SwapTotal"] << 10}
	if m.Total == 0 {
		return m, errors.New("/proc/meminfo does not tell the memory's size")
	}
	used, idle := (info["MemTotal"]-info["MemFree"])<<10, info["Inactive(file)"]<<10
	if v2, err := fields(root, "sys/fs/cgroup/memory.stat"); err == nil {
		idle = v2["inactive_file"]
	} else if v1, err := fields(root, "sys/fs/cgroup/memory/memory.stat"); err == nil {
		idle = v1["total_inactive_file"]
		if n, err := number(root, "sys/fs/cgroup/memory/memory.usage_in_bytes"); err == nil {
			used = n
		}
	}
	m.WorkingSet = max(used-idle, 0)
	return m, nil
}

// Processes is how many tasks the kernel runs, and how many it can.
type Processes struct{ Running, Limit int64 }

// ReadProcesses counts tasks: /proc/loadavg has no upper bound, unlike sysinfo(2).
func ReadProcesses(root fs.FS) (Processes, error) {
	p := Processes{Limit: -1}
	for _, file := range []string{"proc/sys/kernel/pid_max", "proc/sys/kernel/threads-max"} {
		if n, err := number(root, file); err == nil && (p.Limit < 0 || n < p.Limit) {
			p.Limit = n
		}
	}
	text, err := fs.ReadFile(root, "proc/loadavg")
	if err != nil {
		return p, fmt.Errorf("counting processes: %w", err)
	}
	words := strings.Fields(string(text))
	if len(words) < 4 || p.Limit < 0 {
		return p, errors.New("counting processes: the kernel does not tell")
	}
	_, all, _ := strings.Cut(words[3], "/")
	if p.Running, err = strconv.ParseInt(all, 10, 64); err != nil {
		return p, fmt.Errorf("counting processes: %w", err)
	}
	return p, nil
}

// ReadHugePages gives the bytes that are set aside as huge pages, by page size in bytes: of every size that the machine
// knows, 0 too.
func ReadHugePages(root fs.FS) (map[int64]int64, error) {
	const dir = "sys/kernel/mm/hugepages"
	entries, err := fs.ReadDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("looking for huge pages: %w", err)
	}
	pages := map[int64]int64{}
	for _, e := range entries {
		kib, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), "kB"), "hugepages-")
		size, err := strconv.ParseInt(kib, 10, 64)
		if !ok || err != nil {
			continue
		}
		n, err := number(root, dir+"/"+e.Name()+"/nr_hugepages")
		if err != nil {
			return nil, err
		}
		pages[size<<10] = n * (size << 10)
	}
	return pages, nil
}

// fields reads lines of a name and a number.
func fields(root fs.FS, path string) (map[string]int64, error) {
	text, err := fs.ReadFile(root, path)
	if err != nil {
		return nil, fmt.Errorf("reading /%s: %w", path, err)
	}
	m := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 {
			if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
				m[strings.TrimSuffix(words[0], ":")] = n
			}
		}
	}
	return m, nil
}

func number(root fs.FS, path string) (int64, error) {
	text, err := fs.ReadFile(root, path)
	if err != nil {
		return 0, fmt.Errorf("reading /%s: %w", path, err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("reading /%s: %w", path, err)
	}
	return n, nil
}
