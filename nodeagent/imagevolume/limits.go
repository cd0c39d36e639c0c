package imagevolume

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Limits bound what an image may unpack to. Zeroes take the defaults.
type Limits struct {
	Bytes int64 // default 64 GiB
	Files int   // and whatever else has a name; default 4 million
}

func (l *Limits) setDefaults() {
	if l.Bytes == 0 {
		l.Bytes = 64 << 30
	}
	if l.Files == 0 {
		l.Files = 4_000_000
	}
}

// keepFree is the part of a disk that no image is to fill: a twentieth.
const keepFree = 20

// budget is what is left of the limits.
type budget struct {
	Limits
	all Limits
}

// newBudget is the limits, and no more bytes than the disk has room for.
func newBudget(l Limits, dir string) (*budget, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return nil, fmt.Errorf("looking at the disk: %w", err)
	}
	room := (int64(disk.Bavail) - int64(disk.Blocks/keepFree)) * disk.Bsize
	l.Bytes = max(0, min(l.Bytes, room))
	return &budget{l, l}, nil
}

// takeBytes counts bytes that are to be written.
func (b *budget) takeBytes(n int64) error {
	if b.Bytes -= n; b.Bytes < 0 || n < 0 {
		return fmt.Errorf("it has more than the %d bytes that it may have here", b.all.Bytes)
	}
	return nil
}

func (b *budget) takeFile() error {
	if b.Files--; b.Files < 0 {
		return fmt.Errorf("it has more than %d files", b.all.Files)
	}
	return nil
}

// Write counts bytes as they go by, for io.Copy.
func (b *budget) Write(p []byte) (int, error) {
	if err := b.takeBytes(int64(len(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
