package host

import (
	"maps"
	"os"
	"testing"
	"testing/fstest"
)

// tree is a root directory of these files.
func tree(files ...string) fstest.MapFS {
	root := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		root[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return root
}

const meminfo = "MemTotal:  1000 kB\nMemFree:  400 kB\nMemAvailable: 700 kB\nInactive(file): 100 kB\nSwapTotal: 50 kB\n"

func TestMemory(t *testing.T) {
	for _, c := range []struct {
		name       string
		root       fstest.MapFS
		workingSet int64
	}{
		{"cgroup v1", tree("proc/meminfo", meminfo, "sys/fs/cgroup/memory/memory.usage_in_bytes", "500000\n",
			"sys/fs/cgroup/memory/memory.stat", "cache 1\ninactive_file 7\ntotal_inactive_file 200000\n"), 300000},
		{"cgroup v2", tree("proc/meminfo", meminfo, "sys/fs/cgroup/memory.stat", "anon 5\ninactive_file 200000\n"), 600<<10 - 200000},
		{"no cgroups", tree("proc/meminfo", meminfo), 500 << 10},
		{"more idle than used", tree("proc/meminfo", meminfo, "sys/fs/cgroup/memory.stat", "inactive_file 99999999\n"), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := ReadMemory(c.root)
			if want := (Memory{Total: 1000 << 10, Swap: 50 << 10, WorkingSet: c.workingSet}); err != nil || m != want {
				t.Errorf("%+v, %v; want %+v", m, err, want)
			}
		})
	}
	if _, err := ReadMemory(tree("proc/meminfo", "")); err == nil {
		t.Error("a machine without memory")
	}
}

func TestProcesses(t *testing.T) {
	files := []string{"proc/sys/kernel/pid_max", "4194304\n", "proc/sys/kernel/threads-max", "192731\n", "proc/loadavg", "11.34 7.85 5.13 11/284 19014\n"}
	if p, err := ReadProcesses(tree(files...)); err != nil || p != (Processes{284, 192731}) {
		t.Errorf("%+v, %v", p, err)
	}
	files[5] = "what"
	if _, err := ReadProcesses(tree(files...)); err == nil {
		t.Error("made sense of nonsense")
	}
}

func TestHugePages(t *testing.T) {
	pages, err := ReadHugePages(tree("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "3\n", "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n"))
	if want := map[int64]int64{2 << 20: 6 << 20, 1 << 30: 0}; err != nil || !maps.Equal(pages, want) {
		t.Errorf("%v, %v", pages, err)
	}
	if pages, err := ReadHugePages(tree()); err != nil || len(pages) != 0 {
		t.Errorf("a kernel without them: %v, %v", pages, err)
	}
}

// TestHere: this machine can be read.
func TestHere(t *testing.T) {
	root := os.DirFS("/")
	if m, err := ReadMemory(root); err != nil || m.Available() <= 0 || m.Available() > m.Total {
		t.Errorf("%+v, %v", m, err)
	}
	if p, err := ReadProcesses(root); err != nil || p.Running < 1 || p.Running > p.Limit {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := ReadHugePages(root); err != nil {
		t.Error(err)
	}
}
