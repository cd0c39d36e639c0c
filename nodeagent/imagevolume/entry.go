package imagevolume

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// add puts one file of a layer into the tree, in place of what is there under its name.
func (t *tree) add(e entry, content io.Reader) error {
	dir, base := parentOf(e.name)
	if strings.HasPrefix(base, whiteout) {
		return nil
	}
	if err := t.room.takeFile(); err != nil {
		return err
	}
	if e.name == "" { // the root itself
		return t.describe(int(t.root.Fd()), ".", e)
	}
	parent, err := t.dir(dir)
	if err != nil {
		return err
	}
	if err := t.replace(parent, e, base); err != nil {
		return err
	}
	if err := t.make(parent, base, e, content); err != nil || e.Typeflag == tar.TypeLink {
		return err
	}
	return t.describe(parent, base, e)
}

// replace removes what has the name, but a directory that only gets other rights.
func (t *tree) replace(parent int, e entry, base string) error {
	var there unix.Stat_t
	err := unix.Fstatat(parent, base, &there, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil || e.isDir() && there.Mode&unix.S_IFMT == unix.S_IFDIR {
		return err
	}
	delete(t.times, e.name)
	t.lastName = replaced // what it was led somewhere, maybe to where the next file belongs
	return removeIn(parent, base)
}

// make makes the file itself.
func (t *tree) make(parent int, base string, e entry, content io.Reader) error {
	switch e.Typeflag {
	case tar.TypeDir:
		if err := unix.Mkdirat(parent, base, 0o700); !errors.Is(err, unix.EEXIST) {
			return err
		}
		return nil
	case tar.TypeReg, tar.TypeGNUSparse:
		return t.write(parent, base, e.Size, content)
	case tar.TypeSymlink:
		return unix.Symlinkat(e.Linkname, parent, base)
	case tar.TypeLink:
		return t.link(parent, base, e.Linkname)
	case tar.TypeChar:
		return unix.Mknodat(parent, base, unix.S_IFCHR, device(e))
	case tar.TypeBlock:
		return unix.Mknodat(parent, base, unix.S_IFBLK, device(e))
	case tar.TypeFifo:
		return unix.Mknodat(parent, base, unix.S_IFIFO, 0)
	}
	return fmt.Errorf("it is of the unknown type %q", e.Typeflag)
}

func device(e entry) int { return int(unix.Mkdev(uint32(e.Devmajor), uint32(e.Devminor))) }

func (t *tree) write(parent int, base string, size int64, content io.Reader) error {
	if err := t.room.takeBytes(size); err != nil {
		return err
	}
	fd, err := unix.Openat(parent, base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), base)
	defer file.Close()
	if _, err := io.Copy(file, content); err != nil {
		return err
	}
	return file.Close()
}

// link gives a file of the tree another name.
func (t *tree) link(parent int, base, target string) error {
	dir, name := parentOf(strings.TrimPrefix(path.Clean("/"+target), "/"))
	from, err := t.open(dir)
	if err != nil {
		return fmt.Errorf("linking to %s: %w", target, err)
	}
	defer from.Close()
	if err := unix.Linkat(int(from.Fd()), name, parent, base, 0); err != nil {
		return fmt.Errorf("linking to %s: %w", target, err)
	}
	return nil
}

// describe gives a file its owner, rights, attributes and time, in the order in which one does not undo another.
func (t *tree) describe(parent int, base string, e entry) error {
	if err := unix.Fchownat(parent, base, e.Uid, e.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("giving it to %d:%d: %w", e.Uid, e.Gid, err)
	}
	if e.Typeflag != tar.TypeSymlink { // which has none
		if err := unix.Fchmodat(parent, base, uint32(e.Mode)&0o7777, 0); err != nil {
			return err
		}
	}
	if err := setAttributes(parent, base, e); err != nil {
		return err
	}
	if e.isDir() {
		t.times[e.name] = modified(e)
		return nil
	}
	at := unix.NsecToTimespec(modified(e).UnixNano())
	return unix.UtimesNanoAt(parent, base, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
}

// modified is an entry's time, or the epoch where it has none.
func modified(e entry) time.Time {
	if e.ModTime.IsZero() {
		return time.Unix(0, 0)
	}
	return e.ModTime
}

const attributePrefix = "SCHILY.xattr."

// setAttributes sets extended attributes, file capabilities among them. Those that the disk's file system does not know
// are left out, as engines do; so are an overlay's own, which mean nothing here.
func setAttributes(parent int, base string, e entry) error {
	for key, value := range e.PAXRecords {
		name, ok := strings.CutPrefix(key, attributePrefix)
		if !ok || strings.HasPrefix(name, "trusted.overlay.") || strings.HasPrefix(name, "user.overlay.") {
			continue
		}
		err := unix.Lsetxattr(fmt.Sprintf("/proc/self/fd/%d/%s", parent, base), name, []byte(value), 0)
		if err != nil && !errors.Is(err, unix.ENOTSUP) {
			return fmt.Errorf("setting its attribute %s: %w", name, err)
		}
	}
	return nil
}
