package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const dataLink = "..data"

// file is one file of a volume that is made from API objects.
type file struct {
	Data []byte
	Mode os.FileMode
	User int // that owns it; 0 is root
}

// payload is all files of such a volume, by relative path.
type payload map[string]file

// write makes dir hold exactly these files, all at once for whoever reads them: the files go into a new directory,
// then the link ..data is renamed over, as Kubernetes promises for its volumes. Equal content is left alone.
func (p payload) write(dir string, group int) error {
	for path := range p {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	link := filepath.Join(dir, dataLink)
	if err := clearFor(link, isLink); err != nil {
		return err
	}
	if old, err := os.Readlink(link); err == nil && filepath.Base(old) == old && p.equals(filepath.Join(dir, old)) {
		return p.link(dir)
	}
	fresh, err := p.writeNew(dir, group)
	if err != nil {
		return err
	}
	if err := swapLink(filepath.Base(fresh), link); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := p.link(dir); err != nil {
		return err
	}
	return removeStale(dir, filepath.Base(fresh))
}

func (p payload) writeNew(dir string, group int) (string, error) {
	fresh, err := os.MkdirTemp(dir, ".."+time.Now().UTC().Format("2006_01_02_15_04_05.*"))
	if err != nil {
		return "", err
	}
	err = os.Chmod(fresh, 0o755)
	for path, f := range p {
		if err == nil {
			err = writeFile(filepath.Join(fresh, path), f)
		}
	}
	if err == nil && group >= 0 {
		err = giveTo(fresh, group, true)
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(fresh))
	}
	return fresh, nil
}

func writeFile(path string, f file) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, f.Data, f.Mode); err != nil {
		return err
	}
	if f.User > 0 {
		if err := os.Chown(path, f.User, -1); err != nil {
			return err
		}
	}
	return os.Chmod(path, f.Mode) // the umask took bits away
}

// equals says whether a directory holds these files and no others.
func (p payload) equals(dir string) bool {
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		want, ok := p[name]
		got, err := os.ReadFile(path)
		if err != nil || !ok || !bytes.Equal(got, want.Data) {
			return errors.New("differs")
		}
		seen++
		return nil
	})
	return err == nil && seen == len(p)
}

// link makes a link name → ..data/name for each first path element, and removes all else: links that lead nowhere now.
func (p payload) link(dir string) error {
	want := map[string]bool{}
	for path := range p {
		top, _, _ := strings.Cut(path, "/")
		want[top] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		to, _ := os.Readlink(path)
		switch {
		case strings.HasPrefix(e.Name(), ".."):
		case want[e.Name()] && to == filepath.Join(dataLink, e.Name()):
			delete(want, e.Name())
		default:
			if err := remove(path); err != nil {
				return err
			}
		}
	}
	for top := range want {
		if err := os.Symlink(filepath.Join(dataLink, top), filepath.Join(dir, top)); err != nil {
			return err
		}
	}
	return nil
}

func isLink(m fs.FileMode) bool { return m.Type() == fs.ModeSymlink }

func swapLink(target, link string) error {
	temporary := link + "_tmp"
	if err := os.RemoveAll(temporary); err != nil {
		return err
	}
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, link)
}

// removeStale removes what earlier writes left, a broken-off one's too.
func removeStale(dir, current string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, "..") && n != dataLink && n != current {
			err = errors.Join(err, remove(filepath.Join(dir, n)))
		}
	}
	return err
}

// checkPath refuses what would leave the volume or hide its bookkeeping.
func checkPath(path string) error {
	if path == "" || !filepath.IsLocal(path) || strings.HasPrefix(path, "..") {
		return fmt.Errorf("path %q is not a relative path inside the volume", path)
	}
	return nil
}
