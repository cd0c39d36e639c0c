package machine

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespaces are those that a machine has of its own, the one of mounts last: it has another /proc.
var namespaces = []string{"net", "uts", "ipc", "pid", "mnt"}

// Start starts a command on the machine. Waiting for it and killing it are as for any other.
func (m *Machine) Start(cmd *exec.Cmd) error {
	return m.within(cmd.Start)
}

// within calls a function on a thread that is on the machine.
func (m *Machine) within(fn func() error) error {
	return offMain(func() error {
		if err := m.enter(); err != nil {
			return fmt.Errorf("entering the machine: %w", err)
		}
		return fn()
	})
}

// offMain calls a function on a thread that ends with it. It is not the process's first one, which never ends, and whose
// namespaces /proc/self shows as the process's.
func offMain(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			done <- fn() // the thread ends with this goroutine, still locked to it
			return
		}
		defer runtime.UnlockOSThread()
		done <- offMain(fn) // on another one, as long as this one is held
	}()
	return <-done
}

// enter brings the calling thread, and the processes that it starts, into the machine's namespaces.
func (m *Machine) enter() error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	var opened []*os.File
	for _, name := range namespaces {
		f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", m.init.Process.Pid, name))
		if err != nil {
			return err
		}
		defer f.Close()
		opened = append(opened, f)
	}
	for i, f := range opened {
		if err := unix.Setns(int(f.Fd()), 0); err != nil {
			return fmt.Errorf("%s: %w", namespaces[i], err)
		}
	}
	return nil
}
