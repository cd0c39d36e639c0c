package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"leme/nodeagent/pod"
)

func TestFindCgroups(t *testing.T) {
	const (
		one = `25 20 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`
		two = "25 20 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
	)
	c := findCgroups(one)
	if c.unified || c.cpu != "/sys/fs/cgroup/cpu,cpuacct" || c.memory != "/sys/fs/cgroup/memory" || len(c.all) != 3 {
		t.Errorf("version 1: %+v", c)
	}
	if c := findCgroups(two); !c.unified || c.cpu != "/sys/fs/cgroup" || c.memory != c.cpu || !slices.Equal(c.all, []string{c.cpu}) {
		t.Errorf("version 2: %+v", c)
	}
	if c := findCgroups("no mounts"); c.memory != "" {
		t.Errorf("none: %+v", c)
	}
}

// TestHoldGroup: what is written where, in directories that stand for the kernel's.
func TestHoldGroup(t *testing.T) {
	share := pod.Share{Weight: 1024, Quota: 50_000, Memory: 64 << 20}
	for version, row := range map[int]struct {
		of    func(root string) cgroups
		files map[string]string
	}{
		1: {func(root string) cgroups {
			return cgroups{cpu: root + "/cpu", memory: root + "/memory", all: []string{root + "/cpu", root + "/memory"}}
		},
			map[string]string{"memory/g/pod/memory.limit_in_bytes": "67108864", "cpu/g/pod/cpu.shares": "1024", "cpu/g/pod/cpu.cfs_quota_us": "50000", "cpu/g/pod/cpu.cfs_period_us": "100000"}},
		2: {func(root string) cgroups { return cgroups{unified: true, cpu: root, memory: root, all: []string{root}} },
			map[string]string{"g/pod/memory.max": "67108864", "g/pod/cpu.weight": "39", "g/pod/cpu.max": "50000 100000", "cgroup.subtree_control": "+cpu +memory", "g/cgroup.subtree_control": "+cpu +memory"}},
	} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			root := t.TempDir()
			c := row.of(root)
			if err := c.hold("/g/pod", share); err != nil {
				t.Fatal(err)
			}
			for file, want := range row.files {
				if got, err := os.ReadFile(filepath.Join(root, file)); err != nil || string(got) != want {
					t.Errorf("%s: %q, %v; want %s", file, got, err, want)
				}
			}
			if err := c.hold("/g/pod", pod.Share{Weight: 2}); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"memory/g/pod/memory.limit_in_bytes", "g/pod/memory.max"} {
				if got, err := os.ReadFile(filepath.Join(root, file)); err == nil && string(got) != "-1" && string(got) != "max" {
					t.Errorf("without a limit %s says %s", file, got)
				}
			}
		})
	}
}
