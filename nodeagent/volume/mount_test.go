package volume

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
)

// hostTree is a file system of the host, whose mounts are shared, with another mounted in it.
func hostTree(t *testing.T) (dir, inner string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "host")
	inner = filepath.Join(dir, "inner")
	mount := func(at string) {
		t.Helper()
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := mountTmpfs(at, 1<<20, 0o755); err != nil {
			t.Skipf("this host lets nobody mount: %v", err)
		}
	}
	t.Cleanup(func() {
		if err := unmountBelow(dir); err != nil {
			t.Error(err)
		}
	})
	mount(dir)
	if err := unix.Mount("", dir, "", unix.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
	mount(inner)
	return dir, inner
}

// TestTearDownLeavesTheHost: what is unmounted of a pod stays mounted on the host, however the mounts are shared.
func TestTearDownLeavesTheHost(t *testing.T) {
	dir, inner := hostTree(t)
	path, p, err := setUp(t, objects{}, corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: filepath.Dir(dir)}})
	if err != nil {
		t.Fatal(err)
	}
	part, err := p.SubPath(path, "host", "c", 0)
	if err != nil {
		t.Fatal(err)
	}
	if mounted, err := isMountPoint(filepath.Join(part, "inner")); err != nil || !mounted {
		t.Errorf("what is mounted in the volume is not in its part: %v", err)
	}
	shared := filepath.Join(p.Dir, "shared") // as an agent leaves it that is killed at the worst moment
	if err := os.MkdirAll(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(dir, shared, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		t.Fatal(err)
	}
	if err := p.TearDown(); err != nil {
		t.Fatal(err)
	}
	if mounted, err := isMountPoint(inner); err != nil || !mounted {
		t.Errorf("the host has lost its mount: %v", err)
	}
}

// TestReadOnlyBelow: nothing can be written at any depth, and the host's own mounts stay writable.
func TestReadOnlyBelow(t *testing.T) {
	dir, inner := hostTree(t)
	if !RecursivelyReadOnly() {
		t.Skip("this kernel cannot")
	}
	_, p, err := setUp(t, objects{}, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	if err != nil {
		t.Fatal(err)
	}
	path, err := p.ReadOnly(dir, "c", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{path, filepath.Join(path, "inner")} {
		if err := os.WriteFile(filepath.Join(place, "f"), nil, 0o600); err == nil {
			t.Errorf("%s can be written to", place)
		}
	}
	for _, place := range []string{dir, inner} {
		if err := os.WriteFile(filepath.Join(place, "f"), nil, 0o600); err != nil {
			t.Error(err)
		}
	}
	if again, err := p.ReadOnly(dir, "c", 0); err != nil || again != path {
		t.Errorf("again: %s, %v", again, err)
	}
}
