package imagevolume

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

// tree is a directory in which layers are laid over each other. A symlink in it means what it will in a container whose
// root it is: nothing leads out of it (openat2(2), RESOLVE_IN_ROOT).
type tree struct {
	root *os.File
	room *budget

	lastName string // of the directory that was wanted last
	last     *os.File
	times    map[string]time.Time // of directories, which change with what comes into them
}

// replaced is no directory's name.
const replaced = "\x00"

func openTree(dir string, room *budget) (*tree, error) {
	root, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	return &tree{root: root, room: room, times: map[string]time.Time{}}, nil
}

func (t *tree) close() {
	t.forget()
	t.root.Close()
}

// forget lets go of the directory that was wanted last, which may be another one by now.
func (t *tree) forget() {
	if t.last != nil {
		t.last.Close()
		t.last = nil
	}
}

// open opens a directory of the tree, for naming what is in it.
func (t *tree) open(name string) (*os.File, error) {
	fd, err := unix.Openat2(int(t.root.Fd()), path.Join(".", name), &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// dir is the same for a directory that more is put into, which is made with those above it where it is missing. It is
// open until the next call.
func (t *tree) dir(name string) (int, error) {
	if t.last != nil && t.lastName == name {
		return int(t.last.Fd()), nil
	}
	f, err := t.open(name)
	if errors.Is(err, unix.ENOENT) {
		if err = t.makeDir(name); err == nil {
			f, err = t.open(name)
		}
	}
	if err != nil {
		return 0, err
	}
	t.forget()
	t.last, t.lastName = f, name
	return int(f.Fd()), nil
}

// makeDir makes a directory that no layer has told of.
func (t *tree) makeDir(name string) error {
	dir, base := parentOf(name)
	parent, err := t.dir(dir)
	if err != nil {
		return err
	}
	if err := t.room.takeFile(); err != nil {
		return err
	}
	if err := unix.Mkdirat(parent, base, 0o755); err != nil {
		return err
	}
	return unix.Fchmodat(parent, base, 0o755, 0) // the umask took bits away
}

// parentOf splits a name; the root's is a dot.
func parentOf(name string) (dir, base string) {
	dir, base = path.Split(name)
	return path.Clean(dir), base
}

// removeAt removes what a directory has under a name, with all below it. What is missing is no error.
func (t *tree) removeAt(dir, base string) error {
	return t.thin(dir, func(d *os.File) error { return removeIn(int(d.Fd()), base) })
}

// thin has a function remove what it will of a directory, if there is one.
func (t *tree) thin(name string, remove func(d *os.File) error) error {
	d, err := t.open(name)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil
	} else if err != nil {
		return err
	}
	defer d.Close()
	t.forget()
	return remove(d)
}

func removeIn(dir int, base string) error {
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", dir))
	if err != nil {
		return err
	}
	defer root.Close()
	return root.RemoveAll(base)
}

// empty removes all that a directory has.
func (t *tree) empty(name string) error {
	return t.thin(name, func(d *os.File) error {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/self/fd/%d", d.Fd()))
		for _, e := range entries {
			err = errors.Join(err, removeIn(int(d.Fd()), e.Name()))
		}
		return err
	})
}

// finish gives directories the times that their layers tell.
func (t *tree) finish() error {
	for name, at := range t.times {
		d, err := t.open(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			continue // a layer above has replaced it
		} else if err != nil {
			return err
		}
		path := fmt.Sprintf("/proc/self/fd/%d", d.Fd())
		err = os.Chtimes(path, at, at)
		d.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// isDir says whether a layer brings a directory.
func (e entry) isDir() bool { return e.Typeflag == tar.TypeDir }
