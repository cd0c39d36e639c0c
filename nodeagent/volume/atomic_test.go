package volume

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// TestUpdatesAreWhole: whoever reads while content changes, through the link to all of it, sees one version and never a
// part, or nothing.
func TestUpdatesAreWhole(t *testing.T) {
	const files, versions = 10, 60
	dir := filepath.Join(t.TempDir(), "v")
	write := func(version int) error {
		p := payload{}
		for i := range files {
			p[fmt.Sprintf("deep/f%d", i)] = file{Data: []byte(strings.Repeat(fmt.Sprintln(version), 300)), Mode: 0o644}
		}
		return p.write(dir, -1)
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	group := &errgroup.Group{}
	reads := make([]int, 3)
	for reader := range reads {
		group.Go(func() error {
			for ctx.Err() == nil {
				if err := readWhole(dir, files); err != nil {
					return err
				}
				reads[reader]++
			}
			return nil
		})
	}
	for version := range versions {
		if err := write(version); err != nil {
			t.Error(err)
			break
		}
	}
	cancel()
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	for _, n := range reads {
		if n == 0 {
			t.Error("a reader read nothing")
		}
	}
}

// readWhole reads all files as they are at one moment; when their directory has gone meanwhile, that is no moment.
func readWhole(dir string, files int) error {
	now, err := os.OpenRoot(filepath.Join(dir, dataLink))
	if os.IsNotExist(err) {
		_, err = os.Readlink(filepath.Join(dir, dataLink)) // which must be there at any moment
	}
	if err != nil || now == nil {
		return err
	}
	defer now.Close()
	first := ""
	for i := range files {
		content, err := now.ReadFile(fmt.Sprintf("deep/f%d", i))
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _, _ := strings.Cut(string(content), "\n")
		if first == "" {
			first = string(content)
		}
		if string(content) != first || len(content) != 300*(len(line)+1) {
			return fmt.Errorf("file %d has %d bytes of version %s", i, len(content), line)
		}
	}
	return nil
}

// TestOthersAreUpdated: a volume that cannot be made any more keeps no other from its new content, and each that cannot
// is told of.
func TestOthersAreUpdated(t *testing.T) {
	o := testObjects()
	p := Pod{Dir: filepath.Join(t.TempDir(), "pod"), Objects: o, Fields: fields{}}
	pod := volumesOf("missing", "cm", "gone")
	_, err := p.SetUp(t.Context(), pod)
	want := `MountVolume.SetUp failed for volume "missing" : configmaps "missing" not found; MountVolume.SetUp failed for volume "gone" : configmaps "gone" not found`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	wantFiles(t, filepath.Join(p.Dir, "volumes", "cm"), map[string]string{"a": "1", "b": "2"})
}
