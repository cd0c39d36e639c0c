package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tree is a host of files.
func tree(t *testing.T, files map[string]string) Host {
	t.Helper()
	h := Host{Proc: filepath.Join(t.TempDir(), "proc"), Sys: filepath.Join(t.TempDir(), "sys")}
	for name, text := range files {
		dir := h.Sys
		if rest, ok := strings.CutPrefix(name, "proc/"); ok {
			dir, name = h.Proc, rest
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// want is what both trees tell of.
var want = Usage{
	CPU: 1500 * time.Millisecond, User: time.Second, System: 500 * time.Millisecond,
	Periods: 100, ThrottledPeriods: 7, ThrottledTime: 70 * time.Millisecond,
	Memory: 3 << 20, MemoryMax: 4 << 20, MemoryLimit: 64 << 20, MemoryFailures: 2,
	WorkingSet: 2 << 20, RSS: 1 << 20, Cache: 2 << 20, Mapped: 4096, Swap: 8192, PageFaults: 11, MajorFaults: 1, Processes: 3,
	ReadBytes: 8192, WrittenBytes: 4096, Reads: 2, Writes: 1,
}

func TestVersion1(t *testing.T) {
	h := tree(t, map[string]string{
		"proc/42/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n3:pids:/docker/abc\n2:blkio:/docker/abc\n1:name=systemd:/docker/abc\n0::/docker/abc\n",
		"memory/docker/abc/memory.usage_in_bytes":     "3145728\n",
		"memory/docker/abc/memory.max_usage_in_bytes": "4194304\n",
		"memory/docker/abc/memory.limit_in_bytes":     "67108864\n",
		"memory/docker/abc/memory.failcnt":            "2\n",
		"memory/docker/abc/memory.stat": "cache 1\nrss 1\ntotal_cache 2097152\ntotal_rss 1048576\ntotal_mapped_file 4096\ntotal_swap 8192\n" +
			"total_pgfault 11\ntotal_pgmajfault 1\ntotal_inactive_file 1048576\n",
		"cpuacct/docker/abc/cpuacct.usage":                 "1500000000\n",
		"cpuacct/docker/abc/cpuacct.stat":                  "user 100\nsystem 50\n",
		"cpu/docker/abc/cpu.stat":                          "nr_periods 100\nnr_throttled 7\nthrottled_time 70000000\n",
		"pids/docker/abc/pids.current":                     "3\n",
		"blkio/docker/abc/blkio.throttle.io_service_bytes": "8:0 Read 4096\n8:0 Write 4096\n8:16 Read 4096\n8:0 Total 8192\nTotal 12288\n",
		"blkio/docker/abc/blkio.throttle.io_serviced":      "8:0 Read 1\n8:0 Write 1\n8:16 Read 1\nTotal 3\n",
	})
	check(t, h)
}

func TestVersion2(t *testing.T) {
	const group = "system.slice/docker-abc.scope/"
	h := tree(t, map[string]string{
		"proc/42/cgroup":              "0::/system.slice/docker-abc.scope\n",
		group + "cpu.stat":            "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 100\nnr_throttled 7\nthrottled_usec 70000\n",
		group + "memory.current":      "3145728\n",
		group + "memory.peak":         "4194304\n",
		group + "memory.max":          "67108864\n",
		group + "memory.swap.current": "8192\n",
		group + "memory.events":       "low 0\nhigh 0\nmax 2\noom 0\n",
		group + "memory.stat":         "anon 1048576\nfile 2097152\nfile_mapped 4096\ninactive_file 1048576\npgfault 11\npgmajfault 1\n",
		group + "pids.current":        "3\n",
		group + "io.stat":             "8:0 rbytes=4096 wbytes=4096 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=4096 wbytes=0 rios=1 wios=0\n",
	})
	check(t, h)
}

func check(t *testing.T, h Host) {
	t.Helper()
	g, err := h.Of(42)
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Read()
	if err != nil || got != want {
		t.Errorf("%s: %v\ngot  %+v\nwant %+v", g.Name, err, got, want)
	}
	if _, err := h.Of(43); err == nil {
		t.Error("a process that is not there has a group")
	}
	if err := os.RemoveAll(h.Sys); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Read(); err == nil {
		t.Error("a group that is gone has used something")
	}
}

func TestNoLimit(t *testing.T) {
	for _, h := range []Host{
		tree(t, map[string]string{
			"proc/42/cgroup": "2:memory:/x\n1:cpu,cpuacct:/x\n", "memory/x/memory.usage_in_bytes": "1", "memory/x/memory.stat": "",
			"memory/x/memory.limit_in_bytes": "9223372036854771712\n", "cpuacct/x/cpuacct.usage": "1",
		}),
		tree(t, map[string]string{
			"proc/42/cgroup": "0::/x\n", "x/memory.current": "1", "x/memory.stat": "", "x/memory.max": "max\n", "x/cpu.stat": "usage_usec 1\n",
		}),
	} {
		g, err := h.Of(42)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := g.Read(); err != nil || u.MemoryLimit != 0 || u.Memory != 1 {
			t.Errorf("%+v, %v", u, err)
		}
	}
}

func TestInterfaces(t *testing.T) {
	h := tree(t, map[string]string{"proc/42/net/dev": `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:       1       1    0    0    0     0          0         0        1       1    0    0    0     0       0          0
  eth0:     682       7    1    2    0     0          0         0      100       3    4    5    0     0       0          0
`})
	got, err := h.Interfaces(42)
	want := []Interface{{Name: "eth0", Received: 682, ReceivedPackets: 7, ReceiveErrors: 1, ReceivesDropped: 2, Sent: 100, SentPackets: 3, SendErrors: 4, SendsDropped: 5}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

// An agent at rest does hardly more than this, every few seconds for each of its containers.
func TestReadingLeavesLittleGarbage(t *testing.T) {
	g, err := Host{}.Of(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	if _, err := g.Read(); err != nil {
		t.Skip(err)
	}
	const few = 60 // for each of a dozen files its path, twice
	if n := testing.AllocsPerRun(100, func() { _, _ = g.Read() }); n > few {
		t.Errorf("%.0f allocations", n)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	if _, err := number(t.TempDir()); err == nil {
		t.Error("a directory has a number")
	}
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, []byte(strings.Repeat("name 1\n", 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	var sum uint64
	if err := figures(long, map[string]*uint64{"name": &sum}); err != nil || sum != 10_000 {
		t.Errorf("%d, %v", sum, err)
	}
}

// What this process itself has used can be read on any machine that runs the tests in a group of its own.
func TestThisProcess(t *testing.T) {
	g, err := Host{}.Of(os.Getpid())
	if err != nil {
		t.Skip(err)
	}
	u, err := g.Read()
	if err != nil {
		t.Skip(err)
	}
	if u.CPU == 0 || u.Memory == 0 {
		t.Errorf("%+v", u)
	}
}
