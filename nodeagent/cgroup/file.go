package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// buffers are what the kernel's files are read into. Each container has a dozen, which are read every few seconds: with a
// new buffer and an os.File for each that would be most of the garbage of an agent at rest.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read hands the text of one of the kernel's files to use, which must not keep it.
func read(path string, use func(text []byte)) error {
	fd, err := open(path)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	defer fd.close()
	text := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(text)
	text.Reset()
	if _, err := text.ReadFrom(fd); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	use(text.Bytes())
	return nil
}

// descriptor is an open file of the kernel's, which never makes its reader wait.
type descriptor int

func open(path string) (descriptor, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return descriptor(fd), err
		}
	}
}

func (d descriptor) close() {
	_ = unix.Close(int(d)) // nothing was written
}

// Read implements io.Reader.
func (d descriptor) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(d), p)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// number reads a file of one number; "max" is no limit, and so 0.
func number(path string) (n uint64, err error) {
	failed := read(path, func(text []byte) {
		if value := bytes.TrimSpace(text); string(value) != "max" {
			n, err = strconv.ParseUint(string(value), 10, 64)
		}
	})
	return n, errors.Join(failed, err)
}

// optional is a number that not every kernel tells, or not for every group.
func optional(path string) uint64 {
	n, err := number(path)
	if err != nil {
		return 0
	}
	return n
}

// figures reads, of a file of lines of a name and a number, those that are wanted.
func figures(path string, wanted map[string]*uint64) error {
	return read(path, func(text []byte) {
		for line := range bytes.Lines(text) {
			name, value, _ := bytes.Cut(line, []byte(" "))
			if figure, ok := wanted[string(name)]; ok {
				add(figure, value)
			}
		}
	})
}

// add adds what is a number.
func add(total *uint64, value []byte) {
	if n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 64); err == nil {
		*total += n
	}
}
