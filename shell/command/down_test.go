package command

import (
	"os"
	"path/filepath"
	"testing"
)

// Purging removes what a cluster keeps in its home, and what somebody else put there stays.
func TestPurge(t *testing.T) {
	o := DownOptions{Home: t.TempDir()}
	for _, name := range append([]string{"notes.txt", "registry-through"}, owned...) {
		if err := os.MkdirAll(filepath.Join(o.Home, name, "below"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.purge(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(o.Home)
	if err != nil || len(left) != 1 || left[0].Name() != "notes.txt" {
		t.Errorf("left: %v, %v", left, err)
	}
}
