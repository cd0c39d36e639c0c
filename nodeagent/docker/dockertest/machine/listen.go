package machine

import (
	"io"
	"net"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// helperRole names, in its environment, what a process of this program does on a machine.
const helperRole = "LEME_TEST_MACHINE_HELPER"

// RunHelper is called first in the TestMain of tests that use Listen or StartWatched, and says whether this process was a helper on a
// machine, and not to run tests: they run the test's program again.
func RunHelper() bool {
	switch os.Getenv(helperRole) {
	case "listen":
		listen()
	case "watched":
		panic(watched())
	default:
		return false
	}
	return true
}

// helper prepares a process of this program.
func helper(role string, args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), helperRole+"="+role)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// Listen listens on a unix socket here, as a process on the machine: who connects there finds one of its own kind.
func (m *Machine) Listen(t testing.TB, path string) net.Listener {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	socket := os.NewFile(uintptr(fd), path)
	defer socket.Close()
	must(t, unix.Bind(fd, &unix.SockaddrUnix{Name: path}))
	cmd, err := helper("listen")
	must(t, err)
	cmd.ExtraFiles = []*os.File{socket}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, m.Start(cmd))
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // it had nothing more to do
	})
	if _, err := io.ReadFull(stdout, make([]byte, 1)); err != nil {
		t.Fatalf("nobody on the machine listens: %v", err)
	}
	listener, err := net.FileListener(socket)
	must(t, err)
	return listener
}

// listen is the helper: whoever calls listen(2) is who clients find, and that is all it does. It stays until its
// standard input ends.
func listen() {
	if err := unix.Listen(3, unix.SOMAXCONN); err != nil {
		panic(err)
	}
	_, _ = os.Stdout.WriteString("\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
}
