package imagevolume

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"
)

// archives is an engine that has images.
type archives struct {
	images map[string]v1.Image
	asked  int
}

func (a *archives) SaveImage(_ context.Context, id string) (io.ReadCloser, error) {
	a.asked++
	i, ok := a.images[id]
	if !ok {
		return nil, errors.New("no such image")
	}
	var b bytes.Buffer
	err := tarball.Write(name.MustParseReference("an/image:1"), i, &b)
	return io.NopCloser(&b), err
}

// file is a regular one, of root's.
func file(name, content string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content)), PAXRecords: map[string]string{"content": content}}
}

func dir(name string, mode int64) tar.Header {
	return tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}
}

func symlink(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
}

func hardlink(name, to string) tar.Header {
	return tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: to}
}

// built is an image of layers.
func built(t *testing.T, layers ...[]tar.Header) v1.Image {
	t.Helper()
	image := empty.Image
	for _, entries := range layers {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range entries {
			content := h.PAXRecords["content"]
			h.PAXRecords = without(h.PAXRecords, "content")
			must(t, w.WriteHeader(&h))
			_, err := io.WriteString(w, content)
			must(t, err)
		}
		must(t, w.Close())
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
		must(t, err)
		image, err = mutate.AppendLayers(image, layer)
		must(t, err)
	}
	return image
}

func without(records map[string]string, key string) map[string]string {
	kept := map[string]string{}
	for k, v := range records {
		if k != key {
			kept[k] = v
		}
	}
	return kept
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bed is a store over an engine with one image, and the directory of a pod's volume.
type bed struct {
	*Store
	engine *archives
	id     string
	volume string
}

func newBed(t *testing.T, limits Limits, layers ...[]tar.Header) *bed {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the files of images are root's")
	}
	image := built(t, layers...)
	config, err := image.ConfigName()
	must(t, err)
	home := t.TempDir()
	b := &bed{engine: &archives{images: map[string]v1.Image{config.String(): image}}, id: config.String(), volume: filepath.Join(home, "pods", "uid", "images", "v")}
	b.Store, err = Open(Config{Dir: filepath.Join(home, "unpacked"), Pods: filepath.Join(home, "pods"), Engine: b.engine, Limits: limits, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	return b
}

// use gives the image's files.
func (b *bed) use(t *testing.T) string {
	t.Helper()
	root, err := b.Use(t.Context(), b.id, b.volume)
	must(t, err)
	return root
}

// filesIn is what there is below a directory, a line each.
func filesIn(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	must(t, filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		var s unix.Stat_t
		must(t, unix.Lstat(path, &s))
		line := fmt.Sprintf("%s %o %d:%d", strings.TrimPrefix(path, root+"/"), s.Mode, s.Uid, s.Gid)
		switch s.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			content, err := os.ReadFile(path)
			must(t, err)
			line += " " + string(content)
		case unix.S_IFLNK:
			to, err := os.Readlink(path)
			must(t, err)
			line += " -> " + to
		case unix.S_IFCHR, unix.S_IFBLK:
			line += fmt.Sprintf(" %d,%d", unix.Major(s.Rdev), unix.Minor(s.Rdev))
		}
		found = append(found, line)
		return nil
	}))
	return found
}

// TestLayers: what layers over each other come to.
func TestLayers(t *testing.T) {
	owned := file("etc/app.conf", "own")
	owned.Uid, owned.Gid, owned.Mode = 1000, 1001, 0o4750
	null := tar.Header{Typeflag: tar.TypeChar, Name: "dev/null", Mode: 0o666, Devmajor: 1, Devminor: 3}
	pipe := tar.Header{Typeflag: tar.TypeFifo, Name: "pipe", Mode: 0o600}
	for _, c := range []struct {
		name   string
		layers [][]tar.Header
		want   []string
	}{
		{"owners, rights, links, devices", [][]tar.Header{{dir("etc", 0o750), owned, symlink("conf", "etc/app.conf"), hardlink("second", "etc/app.conf"), null, pipe}},
			[]string{"conf 120777 0:0 -> etc/app.conf", "dev 40755 0:0", "dev/null 20666 0:0 1,3", "etc 40750 0:0", "etc/app.conf 104750 1000:1001 own", "pipe 10600 0:0", "second 104750 1000:1001 own"}},
		{"the upper layer's file counts, and a second name keeps the lower one's", [][]tar.Header{{file("a", "old"), hardlink("b", "a")}, {file("a", "new")}},
			[]string{"a 100644 0:0 new", "b 100644 0:0 old"}},
		{"a file taken away", [][]tar.Header{{file("d/a", "1"), file("d/b", "2")}, {file("d/.wh.a", "")}}, []string{"d 40755 0:0", "d/b 100644 0:0 2"}},
		{"taken away below, brought again", [][]tar.Header{{file("d/a", "1")}, {file("d/a", "2"), file("d/.wh.a", "")}}, []string{"d 40755 0:0", "d/a 100644 0:0 2"}},
		{"a directory emptied, wherever the layer says so", [][]tar.Header{{file("d/a", "1"), file("d/e/f", "1")}, {file("d/b", "2"), file("d/.wh..wh..opq", "")}}, []string{"d 40755 0:0", "d/b 100644 0:0 2"}},
		{"others' whiteouts", [][]tar.Header{{file("a", "1"), file(".wh..wh.plnk/x", "")}}, []string{".wh..wh.plnk 40755 0:0", ".wh..wh.plnk/x 100644 0:0 ", "a 100644 0:0 1"}},
		{"a directory in a file's place, and the reverse", [][]tar.Header{{file("x", "1"), file("y/z", "1")}, {dir("x", 0o700), file("y", "2")}},
			[]string{"x 40700 0:0", "y 100644 0:0 2"}},
		{"a directory's rights alone", [][]tar.Header{{dir("d", 0o700), file("d/a", "1")}, {dir("d", 0o755)}}, []string{"d 40755 0:0", "d/a 100644 0:0 1"}},
		{"through a link that means the image's root", [][]tar.Header{{dir("usr/lib", 0o755), symlink("lib", "/usr/lib")}, {file("lib/a", "1")}},
			[]string{"lib 120777 0:0 -> /usr/lib", "usr 40755 0:0", "usr/lib 40755 0:0", "usr/lib/a 100644 0:0 1"}},
		{"names from the root and from above it", [][]tar.Header{{file("/a", "1"), file("../../b", "2"), file("./c", "3")}}, []string{"a 100644 0:0 1", "b 100644 0:0 2", "c 100644 0:0 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := filesIn(t, newBed(t, Limits{}, c.layers...).use(t)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestNothingEscapes: no link of an image leads to a file of the host, and no name of a layer above it.
func TestNothingEscapes(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("mine"), 0o600))
	up := strings.Repeat("../", 30)
	for _, c := range []struct {
		name   string
		layers [][]tar.Header
	}{
		{"a file through a link", [][]tar.Header{{symlink("out", outside), file("out/secret", "theirs")}}},
		{"a file through a link upwards", [][]tar.Header{{symlink("out", up+outside[1:]), file("out/secret", "theirs")}}},
		{"in place of a link", [][]tar.Header{{symlink("secret", outside+"/secret")}, {file("secret", "theirs")}}},
		{"a second name", [][]tar.Header{{hardlink("mine", outside+"/secret"), file("mine", "theirs")}}},
		{"a second name through a link", [][]tar.Header{{symlink("out", outside), hardlink("mine", "out/secret")}}},
		{"taken away through a link", [][]tar.Header{{symlink("out", outside)}, {file("out/.wh.secret", "")}}},
		{"emptied through a link", [][]tar.Header{{symlink("out", outside)}, {file("out/.wh..wh..opq", "")}}},
		{"taking away what is above", [][]tar.Header{{file("a/.wh...", "")}}},
		{"rights through a link", [][]tar.Header{{symlink("out", outside)}, {dir("out/.", 0o777)}}},
		{"through the kernel's own links", [][]tar.Header{{symlink("out", "/proc/self/cwd"), file("out/secret", "theirs")}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, Limits{}, c.layers...)
			root, err := b.Use(t.Context(), b.id, b.volume)
			if err == nil {
				filesIn(t, root) // it can be read
			}
			content, readErr := os.ReadFile(filepath.Join(outside, "secret"))
			info, statErr := os.Stat(outside)
			if readErr != nil || statErr != nil || string(content) != "mine" || info.Mode().Perm() != 0o755 {
				t.Errorf("outside there is %q (%v), in a directory of mode %v", content, readErr, info.Mode())
			}
		})
	}
}

// TestAttributes: extended attributes and times are as the image has them.
func TestAttributes(t *testing.T) {
	program := file("program", "#!")
	program.ModTime = time.Unix(1_000_000_000, 0)
	program.PAXRecords["SCHILY.xattr.security.capability"] = "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	folder := dir("d", 0o755)
	folder.ModTime = time.Unix(1_100_000_000, 0)
	root := newBed(t, Limits{}, []tar.Header{program, folder, file("d/later", "")}).use(t)
	value := make([]byte, 64)
	n, err := unix.Lgetxattr(filepath.Join(root, "program"), "security.capability", value)
	if err != nil || n != 20 {
		t.Errorf("the capabilities are %x: %v", value[:max(n, 0)], err)
	}
	for path, want := range map[string]int64{"program": 1_000_000_000, "d": 1_100_000_000} {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.ModTime().Unix() != want {
			t.Errorf("%s is of %v: %v", path, info, err)
		}
	}
}

// TestLimits: an image that is too much is refused, and leaves nothing behind.
func TestLimits(t *testing.T) {
	large := tar.Header{Typeflag: tar.TypeReg, Name: "large", Size: 1 << 20, Mode: 0o644, PAXRecords: map[string]string{"content": strings.Repeat("x", 1<<20)}}
	for _, c := range []struct {
		name   string
		limits Limits
		layer  []tar.Header
		want   string
	}{
		{"bytes", Limits{Bytes: 1_000_000}, []tar.Header{large}, "it has more than the 1000000 bytes"},
		{"files", Limits{Files: 2}, []tar.Header{file("a", ""), file("b/c", "")}, "it has more than 2 files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t, c.limits, c.layer)
			if _, err := b.Use(t.Context(), b.id, b.volume); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v", err)
			}
			if left, _ := os.ReadDir(b.Dir); len(left) > 0 {
				t.Errorf("there is left %v", left)
			}
		})
	}
}

// TestShared: an image is unpacked once, stays while a volume shows it and for a while after, and what was begun is
// removed by the next agent.
func TestShared(t *testing.T) {
	b := newBed(t, Limits{}, []tar.Header{file("a", "1")})
	other := filepath.Join(b.Pods, "other", "images", "v")
	root := b.use(t)
	if again, err := b.Use(t.Context(), b.id, other); err != nil || again != root || b.engine.asked != 1 {
		t.Errorf("the other pod's is %s (%v), asked %d times", again, err, b.engine.asked)
	}
	if used, err := b.InUse(); err != nil || !slices.Equal(used, []string{b.id}) {
		t.Errorf("in use: %v, %v", used, err)
	}
	must(t, os.RemoveAll(b.volume))
	must(t, b.Free())
	if _, err := os.Stat(root); err != nil {
		t.Errorf("removed while a volume shows it: %v", err)
	}
	must(t, os.RemoveAll(other))
	must(t, b.Collect(time.Now().Add(b.Keep/2)))
	if _, err := os.Stat(root); err != nil {
		t.Errorf("removed too soon: %v", err)
	}
	must(t, b.Collect(time.Now().Add(2*b.Keep)))
	if left, err := os.ReadDir(b.Dir); err != nil || len(left) > 0 {
		t.Errorf("there is left %v (%v)", left, err)
	}
	must(t, os.MkdirAll(filepath.Join(b.Dir, unfinished+"1", rootName), 0o700))
	_, err := Open(b.Config)
	must(t, err)
	if left, err := os.ReadDir(b.Dir); err != nil || len(left) > 0 {
		t.Errorf("what was begun is left: %v (%v)", left, err)
	}
	if again := b.use(t); again != root || b.engine.asked != 2 {
		t.Errorf("unpacked again at %s, asked %d times", again, b.engine.asked)
	}
}

// TestNoImage: an engine that has no such image says so, and one without a digest is refused.
func TestNoImage(t *testing.T) {
	b := newBed(t, Limits{}, []tar.Header{file("a", "1")})
	for id, want := range map[string]string{"sha256:" + strings.Repeat("0", 64): "no such image", "an/image:1": "has no digest"} {
		if _, err := b.Use(t.Context(), id, b.volume); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
}
