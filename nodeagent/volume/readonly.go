package volume

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// RecursivelyReadOnly says whether the host can make a mount read-only with all that is mounted below it (Linux 5.12).
// The engine need not know of it: it gives containers what the agent has made so.
func RecursivelyReadOnly() bool {
	err := unix.MountSetattr(-1, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	return !errors.Is(err, unix.ENOSYS)
}

// ReadOnly gives a host path at which a volume, or a part of one, is read-only with all that is mounted below it, for one
// mount of one container.
func (p Pod) ReadOnly(path, container string, index int) (string, error) {
	source, err := os.OpenFile(path, unix.O_PATH, 0)
	if err != nil {
		return "", err
	}
	defer source.Close()
	dir, err := p.makeDirs("readonly", container)
	if err != nil {
		return "", err
	}
	target := filepath.Join(dir, strconv.Itoa(index))
	if err := bind(source, target); err != nil {
		return "", err
	}
	// What the host mounts there later must not come in: it could be written to.
	if err := unix.MountSetattr(unix.AT_FDCWD, target, unix.AT_RECURSIVE, &unix.MountAttr{
		Attr_set: unix.MOUNT_ATTR_RDONLY, Propagation: unix.MS_PRIVATE,
	}); err != nil {
		return "", fmt.Errorf("making %s read-only with all below it: %w", path, err)
	}
	return target, nil
}
