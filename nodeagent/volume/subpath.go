package volume

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// What a symlink in a volume may lead to: what is below the volume, or, in one with a root's files, what it means there.
const (
	beneath = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS
	inRoot  = unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS
)

// SubPath gives a host path for a path inside a volume, for one mount of one container. A container that can write to
// the volume can put symlinks there, also just before the engine looks: so the path is resolved once without leaving
// the volume, and the file found is bind-mounted under the pod's directory, where no container can reach.
// A missing path is made as a directory.
func (p Pod) SubPath(volumePath, subPath, container string, index int) (string, error) {
	if !filepath.IsLocal(subPath) {
		return "", fmt.Errorf("subPath %q leads out of the volume", subPath)
	}
	found, err := openBelow(volumePath, subPath, beneath)
	if errors.Is(err, unix.ENOENT) {
		if err := makeBelow(volumePath, subPath); err != nil {
			return "", fmt.Errorf("making subPath %q: %w", subPath, err)
		}
		found, err = openBelow(volumePath, subPath, beneath)
	}
	if err != nil {
		return "", fmt.Errorf("resolving subPath %q: %w", subPath, err)
	}
	return p.bindSubPath(found, container, index)
}

func (p Pod) bindSubPath(found *os.File, container string, index int) (string, error) {
	defer found.Close()
	dir, err := p.makeDirs("subpaths", container)
	if err != nil {
		return "", err
	}
	target := filepath.Join(dir, strconv.Itoa(index))
	return target, bind(found, target)
}

// ImageSubPath is the same for an image's files, which cannot be added to: a missing path is an error.
func (p Pod) ImageSubPath(root, subPath, container string, index int) (string, error) {
	if !filepath.IsLocal(subPath) {
		return "", fmt.Errorf("subPath %q leads out of the image", subPath)
	}
	found, err := openBelow(root, subPath, inRoot)
	if err != nil {
		return "", fmt.Errorf("resolving subPath %q: %w", subPath, err)
	}
	return p.bindSubPath(found, container, index)
}

// openBelow opens a path for naming it only; symlinks are followed as far as resolve lets them (openat2(2)).
func openBelow(dir, path string, resolve uint64) (*os.File, error) {
	root, err := unix.Open(dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	fd, err := unix.Openat2(root, path, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_CLOEXEC,
		Resolve: resolve,
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func makeBelow(dir, path string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	return makeAll(root, filepath.Clean(path), info.Mode())
}

// makeAll makes what is missing of a path, each directory with the permissions of the volume, whose group's or anybody's
// they are to be as well.
func makeAll(root *os.Root, path string, mode os.FileMode) error {
	if parent := filepath.Dir(path); parent != "." {
		if err := makeAll(root, parent, mode); err != nil {
			return err
		}
	}
	err := root.Mkdir(path, mode.Perm())
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err == nil {
		err = root.Chmod(path, mode&(os.ModePerm|os.ModeSetgid)) // the umask took bits away
	}
	return err
}

// bind mounts an open file or directory on target, in place of what an earlier attempt left there.
func bind(source *os.File, target string) error {
	if err := unmountBelow(target); err != nil {
		return err
	}
	if err := makeTarget(source, target); err != nil {
		return err
	}
	from := fmt.Sprintf("/proc/self/fd/%d", source.Fd())
	if err := unix.Mount(from, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("binding it: %w", err)
	}
	// What the host mounts there later comes in; nothing goes the other way.
	if err := unix.Mount("", target, "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("cutting it off from its source: %w", err)
	}
	return nil
}

// makeTarget makes an empty mount point of the source's kind.
func makeTarget(source *os.File, target string) error {
	var stat unix.Stat_t
	if err := unix.Fstat(int(source.Fd()), &stat); err != nil {
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		return os.MkdirAll(target, 0o750)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
		return err
	}
	return os.WriteFile(target, nil, 0o600)
}
