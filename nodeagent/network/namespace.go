package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrGone says that the process that should be connected has ended.
var ErrGone = errors.New("the sandbox has ended")

// A process needs microseconds to make its namespace once it runs, but on a busy machine it may have to wait for its
// turn. Nothing announces it, so it is looked for.
const (
	namespacePoll     = time.Millisecond
	namespacePatience = 20 * time.Second
)

// openNamespace gives the network namespace that a sandbox's process has made for itself, once it is another one than
// this process's and the process has given up every right. The process is found by its PID, and known by its control
// groups, which carry the container's ID: a PID can belong to another process by now.
func openNamespace(ctx context.Context, pid int, container string) (*os.File, error) {
	process, err := os.Open(fmt.Sprintf("/proc/%d", pid))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrGone
	} else if err != nil {
		return nil, err
	}
	defer process.Close()
	p := procDir{process}
	if groups, err := p.read("cgroup"); err != nil || !strings.Contains(groups, container) {
		return nil, ErrGone
	}
	ctx, cancel := context.WithTimeout(ctx, namespacePatience)
	defer cancel()
	tick := time.NewTicker(namespacePoll)
	defer tick.Stop()
	for {
		namespace, err := p.ownNamespace()
		if namespace != nil || err != nil {
			return namespace, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the sandbox to make a network namespace: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// procDir is the directory of one process, and never of another one that has its PID later.
type procDir struct{ dir *os.File }

func (p procDir) open(name string) (*os.File, error) {
	fd, err := unix.Openat(int(p.dir.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) {
		return nil, ErrGone
	} else if err != nil {
		return nil, &os.PathError{Op: "open", Path: filepath.Join(p.dir.Name(), name), Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (p procDir) read(name string) (string, error) {
	f, err := p.open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if errors.Is(err, unix.ESRCH) {
		return "", ErrGone
	}
	return string(text), err
}

// ownNamespace is nil while the process has this process's network, or a right left.
func (p procDir) ownNamespace() (*os.File, error) {
	status, err := p.read("status")
	if err != nil {
		return nil, err
	}
	if strings.Contains(status, "\nState:\tZ") {
		return nil, ErrGone
	}
	if !strings.Contains(status, "\nCapPrm:\t0000000000000000\n") {
		return nil, nil
	}
	namespace, err := p.open("ns/net")
	if err != nil {
		return nil, err
	}
	same, err := sameFile(namespace, "/proc/thread-self/ns/net")
	if same || err != nil {
		namespace.Close()
		return nil, err
	}
	return namespace, nil
}

func sameFile(f *os.File, path string) (bool, error) {
	a, err := f.Stat()
	if err != nil {
		return false, err
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b), err
}

// within calls fn on a thread that is in a network namespace, and is given up afterwards: its goroutine ends locked
// to it.
func within(namespace *os.File, fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering the pod's network: %w", err)
			return
		}
		done <- fn()
	}()
	return <-done
}

// setSysctls sets those of a network namespace, "net.ipv4.…" or "net/ipv4/…".
func setSysctls(namespace *os.File, sysctls map[string]string) error {
	if len(sysctls) == 0 {
		return nil
	}
	return within(namespace, func() error {
		for name, value := range sysctls {
			path := sysctlPath(name)
			if !strings.HasPrefix(path, "/proc/sys/net/") {
				return fmt.Errorf("setting sysctl %s: it is not the pod's network's", name)
			}
			if err := os.WriteFile(path, []byte(value), 0); err != nil {
				return fmt.Errorf("setting sysctl %s: %w", name, err)
			}
		}
		return nil
	})
}

// sysctlPath is where the kernel has a sysctl. Where the first separator is a slash, dots are parts of names.
func sysctlPath(name string) string {
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '.' {
		name = strings.NewReplacer(".", "/", "/", ".").Replace(name)
	}
	return filepath.Join("/proc/sys", filepath.Clean("/"+name))
}

// sameNamespace says whether a process is in a namespace of this process's.
func sameNamespace(pid int, kind string) (bool, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", pid, kind))
	if err != nil {
		return false, err
	}
	defer f.Close()
	return sameFile(f, "/proc/thread-self/ns/"+kind)
}
