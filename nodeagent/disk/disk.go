// Package disk tells how full file systems are and what directories take of them.
//
//	free, err := disk.Of("/var/lib/leme")
//	used, err := disk.Used(ctx, "/var/lib/leme/agent/pods/UID/volumes/cache")
package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Space is a file system, in bytes and inodes.
type Space struct {
	Device uint64 // which file system it is
	// Total is its size, Usable that without what is kept back for the system: as much as others can ever fill.
	Total, Usable, Free int64
	Inodes, InodesFree  int64 // 0 where the file system does not count them
}

// Of tells of the file system that a path is on.
func Of(path string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return Space{}, fmt.Errorf("asking for the disk of %s: %w", path, err)
	}
	var f unix.Stat_t
	if err := unix.Stat(path, &f); err != nil {
		return Space{}, fmt.Errorf("asking for the disk of %s: %w", path, err)
	}
	return Space{
		Device: f.Dev,
		Total:  int64(s.Blocks) * s.Bsize,
		Usable: int64(s.Blocks-min(s.Bfree-s.Bavail, s.Blocks)) * s.Bsize,
		Free:   int64(s.Bavail) * s.Bsize,
		Inodes: int64(s.Files), InodesFree: int64(s.Ffree),
	}, nil
}
