package footprint

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestRests(t *testing.T) {
	for _, c := range []struct {
		used time.Duration
		want bool
	}{{0, true}, {499 * time.Millisecond, true}, {500 * time.Millisecond, false}, {20 * time.Second, false}} {
		if got := rests(10*time.Second, c.used); got != c.want {
			t.Errorf("%s of 10 s: rests %t", c.used, got)
		}
	}
}

// What is given back comes back as it was, and what is not the file's stays.
func TestPagesAreGivenBack(t *testing.T) {
	content := bytes.Repeat([]byte("content."), 1<<14)
	read, private := mapped(t, content, unix.PROT_READ), mapped(t, content, unix.PROT_READ|unix.PROT_WRITE)
	copy(private, "changed.")
	if err := unix.Mprotect(private, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read, content) {
		t.Fatal("the file is not what was written")
	}
	if before := residentOf(t, read); before == 0 {
		t.Fatal("what was read is not resident")
	}
	if err := releaseFiles(); err != nil {
		t.Fatal(err)
	}
	if after := residentOf(t, read); after != 0 {
		t.Errorf("%d kB are still resident", after)
	}
	if !bytes.Equal(read, content) {
		t.Error("what came back is not what was there")
	}
	if !strings.HasPrefix(string(private), "changed.content.") {
		t.Errorf("what was written is gone: %s", private[:16])
	}
}

// mapped maps a private copy of a new file.
func mapped(t *testing.T, content []byte, protection int) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	m, err := unix.Mmap(int(f.Fd()), 0, len(content), protection, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(m); err != nil {
			t.Error(err)
		}
	})
	return m
}

func residentOf(t *testing.T, m []byte) uint64 {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := parseMappings(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.start == uintptr(unsafe.Pointer(&m[0])) {
			return one.resident
		}
	}
	t.Fatal("the mapping is not listed")
	return 0
}

func TestCollectionsAreTold(t *testing.T) {
	collected, stop := collections()
	for range 3 {
		runtime.GC()
		<-collected
	}
	stop()
}

// A process that comes to rest collects earlier, and as before when it works again; and Keep leaves nothing behind.
func TestKeeper(t *testing.T) {
	now := time.Now()
	defer debug.SetGCPercent(debug.SetGCPercent(80))
	k := keeper{percent: 80, since: now}
	for _, step := range []struct {
		used    time.Duration
		resting bool
	}{{5 * time.Second, false}, {5 * time.Second, true}, {5 * time.Second, true}, {9 * time.Second, false}} {
		now = now.Add(looks)
		k.look(now, step.used)
		if k.resting != step.resting {
			t.Errorf("after %s of the processor: resting %t", step.used, k.resting)
		}
		if growth := heapGrowth(); growth != 80 && !step.resting || growth != 40 && step.resting {
			t.Errorf("after %s of the processor garbage is collected at %d %%", step.used, growth)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := heapGrowth()
	if err := Keep(ctx, before/2); err != nil {
		t.Error(err)
	}
	if after := heapGrowth(); after != before {
		t.Errorf("Keep leaves %d %%, there were %d", after, before)
	}
}

// heapGrowth is what the garbage collector goes by now.
func heapGrowth() int {
	growth := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(growth)
	return int(growth[0].Value.Uint64())
}
