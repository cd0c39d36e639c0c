package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Role is a part of a cluster that runs at most once in a home directory.
type Role string

// The roles: `leme server` and `leme agent`; `leme up` plays both.
const (
	RoleServer Role = "server"
	RoleAgent  Role = "agent"
)

// Lock makes this process the one that plays a role in a home directory. The lock ends with the
// process, however that ends; release ends it before.
func Lock(home string, role Role) (release func(), err error) {
	path := pidFile(home, role)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("a leme %s runs already with %s (process %s)", role, home, pidText(path))
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	pid := strconv.Itoa(os.Getpid()) + "\n"
	// Written over, and cut then: where the disk is full the file keeps the room that it has.
	if err := errors.Join(writeAt(file, pid), file.Truncate(int64(len(pid)))); err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

func pidFile(home string, role Role) string { return filepath.Join(home, "run", string(role)+".pid") }

func pidText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// running gives the process that plays a role, 0 when none does.
func running(home string, role Role) (pid int, err error) {
	file, err := os.Open(pidFile(home, role))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil {
		return 0, nil // nobody holds it: what it says is from a process that ended
	}
	text, err := io.ReadAll(io.LimitReader(file, 32))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

const (
	stopPatience = 30 * time.Second
	stopPoll     = 50 * time.Millisecond
)

// stop ends a process by SIGTERM, by SIGKILL when it does not listen, and returns once it is gone.
func stop(pid int) error {
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.Kill(pid, signal); errors.Is(err, unix.ESRCH) {
			return nil
		} else if err != nil {
			return fmt.Errorf("stopping process %d: %w", pid, err)
		}
		if gone(pid, stopPatience) {
			return nil
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

func gone(pid int, patience time.Duration) bool {
	poll := time.NewTicker(stopPoll)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-poll.C {
		if errors.Is(unix.Kill(pid, 0), unix.ESRCH) || zombie(pid) {
			return true
		}
	}
	return false
}

// zombie is a process that has ended and that its parent has not asked about yet.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, fields, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(fields, "Z")
}
