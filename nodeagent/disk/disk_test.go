package disk

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, size int, path ...string) string {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestUsed: all below a directory counts in whole blocks, a file of two names once, one that is gone not at all.
func TestUsed(t *testing.T) {
	dir := t.TempDir()
	before, err := Used(t.Context(), dir)
	if err != nil || before.Inodes != 1 {
		t.Fatalf("empty: %+v, %v", before, err)
	}
	file := write(t, 1<<20, dir, "a")
	write(t, 10, dir, "deep", "er", "b")
	if err := os.Link(file, filepath.Join(dir, "again")); err != nil {
		t.Fatal(err)
	}
	sparse := write(t, 0, dir, "sparse")
	if err := os.Truncate(sparse, 1<<30); err != nil {
		t.Fatal(err)
	}
	after, err := Used(t.Context(), dir)
	if grown := after.Bytes - before.Bytes; err != nil || after.Inodes != 6 || grown < 1<<20+512 || grown > 1<<20+1<<16 {
		t.Errorf("%+v, %v", after, err)
	}
	if gone, err := Used(t.Context(), filepath.Join(dir, "nowhere")); err != nil || gone != (Usage{}) {
		t.Errorf("nothing: %+v, %v", gone, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Used(ended, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestUsedBy(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x-json.log", "x-json.log.1", "other"} {
		write(t, 4096, dir, name)
	}
	if u, err := UsedBy(filepath.Join(dir, "x-json.log*")); err != nil || u.Inodes != 2 || u.Bytes < 8192 {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestOf(t *testing.T) {
	s, err := Of(t.TempDir())
	if err != nil || s.Total < s.Usable || s.Usable < s.Free || s.Device == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Of("/nowhere"); err == nil {
		t.Error("a place that is not there has a disk")
	}
}
