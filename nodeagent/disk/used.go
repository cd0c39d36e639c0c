package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Usage is what files take of a disk.
type Usage struct {
	Bytes  int64 // in whole blocks, holes left out
	Inodes int64
}

// Add gives the sum of two usages.
func (u Usage) Add(other Usage) Usage {
	return Usage{u.Bytes + other.Bytes, u.Inodes + other.Inodes}
}

// Used adds up a directory and all below it on the same file system; a file of several names counts once. Files that go
// meanwhile do not count, and neither does a directory that is not there. It ends early with ctx.
func Used(ctx context.Context, dir string) (Usage, error) {
	c := counter{seen: map[uint64]bool{}}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		return c.count(d)
	})
	if err != nil {
		return c.sum, fmt.Errorf("measuring %s: %w", dir, err)
	}
	return c.sum, nil
}

// UsedBy adds up files by a pattern (filepath.Glob).
func UsedBy(pattern string) (Usage, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return Usage{}, fmt.Errorf("measuring %s: %w", pattern, err)
	}
	c := counter{seen: map[uint64]bool{}}
	for _, f := range files {
		info, err := os.Lstat(f)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return c.sum, fmt.Errorf("measuring %s: %w", f, err)
		}
		if err := c.count(fs.FileInfoToDirEntry(info)); err != nil && !errors.Is(err, fs.SkipDir) {
			return c.sum, err
		}
	}
	return c.sum, nil
}

type counter struct {
	sum    Usage
	begun  bool
	device uint64
	seen   map[uint64]bool // inodes of several names
}

const blockSize = 512 // the unit of st_blocks, whatever the file system's is

func (c *counter) count(d fs.DirEntry) error {
	info, err := d.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	if !c.begun {
		c.begun, c.device = true, s.Dev
	}
	if s.Dev != c.device {
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if s.Nlink > 1 && !d.IsDir() {
		if c.seen[s.Ino] {
			return nil
		}
		c.seen[s.Ino] = true
	}
	c.sum = c.sum.Add(Usage{Bytes: s.Blocks * blockSize, Inodes: 1})
	return nil
}
