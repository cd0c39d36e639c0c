package machine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Effect is a step by which a process changes files, mounts or the network, by its call of the kernel: "mkdirat".
type Effect string

// effects are the calls that count. Of those that open files it is those that may make one, and of those that send it is
// requests to the kernel's network that change something.
var effects = map[uint32]Effect{
	unix.SYS_MKDIRAT: "mkdirat", unix.SYS_UNLINKAT: "unlinkat", unix.SYS_RENAMEAT: "renameat", unix.SYS_RENAMEAT2: "renameat2",
	unix.SYS_LINKAT: "linkat", unix.SYS_SYMLINKAT: "symlinkat", unix.SYS_FCHOWNAT: "fchownat", unix.SYS_FCHMODAT: "fchmodat",
	unix.SYS_MOUNT: "mount", unix.SYS_UMOUNT2: "umount2", unix.SYS_MOVE_MOUNT: "move_mount", unix.SYS_MOUNT_SETATTR: "mount_setattr",
	unix.SYS_OPENAT: "openat", unix.SYS_SENDTO: "netlink",
}

// StartWatched starts a command on the machine as Start does, and calls a function before each of its effects, one after
// the other; the function may kill the process, and then nothing comes of the effect. Tests that use it call RunHelper.
func (m *Machine) StartWatched(cmd *exec.Cmd, before func(Effect)) error {
	line, err := socketPair()
	if err != nil {
		return err
	}
	defer line[0].Close()
	defer line[1].Close()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd.Args = append([]string{program, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = program
	cmd.Env = append(cmd.Env, helperRole+"=watched")
	cmd.ExtraFiles = []*os.File{line[1]}
	if err := m.Start(cmd); err != nil {
		return err
	}
	line[1].Close()
	watch, err := receive(line[0])
	if err != nil {
		return fmt.Errorf("watching %s: %w", cmd.Path, err)
	}
	go follow(watch, before)
	return nil
}

func socketPair() (line [2]*os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return line, err
	}
	return [2]*os.File{os.NewFile(uintptr(fds[0]), "here"), os.NewFile(uintptr(fds[1]), "there")}, nil
}

// receive takes the file that the helper hands over.
func receive(line *os.File) (*os.File, error) {
	conn, err := net.FileConn(line)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.(*net.UnixConn).ReadMsgUnix(make([]byte, 1), rights)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("no file came: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "watch"), nil
}

// What the kernel and a watch say to each other: seccomp_notif and seccomp_notif_resp of linux/seccomp.h, seccomp(2).
type (
	notice struct {
		id         uint64
		pid, flags uint32
		nr         uint32
		arch       uint32
		ip         uint64
		args       [6]uint64
	}
	reply struct {
		id           uint64
		value        int64
		errno, flags uint32
	}
)

// follow tells of effects until the watched processes are gone.
func follow(watch *os.File, before func(Effect)) {
	defer watch.Close()
	fd := watch.Fd()
	for {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); errors.Is(err, unix.EINTR) {
			continue
		}
		if ready[0].Revents&unix.POLLIN == 0 {
			return
		}
		var n notice
		if control(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)) != nil {
			continue // who called is gone
		}
		if n.changes() {
			before(effects[n.nr])
		}
		r := reply{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		_ = control(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)) // who called may be gone
	}
}

func control(fd uintptr, request uint, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, uintptr(request), uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}

// changes says whether a call changes something: of the requests to the network those that begin with RTM_GET do not.
func (n *notice) changes() bool {
	if n.nr != unix.SYS_SENDTO {
		return true
	}
	header := make([]byte, unix.NLMSG_HDRLEN)
	_, err := unix.ProcessVMReadv(int(n.pid), []unix.Iovec{{Base: &header[0], Len: uint64(len(header))}},
		[]unix.RemoteIovec{{Base: uintptr(n.args[1]), Len: len(header)}}, 0)
	kind := uint16(header[4]) | uint16(header[5])<<8
	return err == nil && kind >= unix.RTM_BASE && kind&3 != unix.RTM_GETLINK&3
}

// watched is the helper: it hands over a watch of itself and becomes the command.
func watched() error {
	runtime.LockOSThread()
	watch, err := install(filter())
	if err != nil {
		return fmt.Errorf("watching the calls of the kernel: %w", err)
	}
	if err := unix.Sendmsg(3, []byte{0}, unix.UnixRights(watch), nil, 0); err != nil {
		return err
	}
	for _, fd := range []int{3, watch} {
		unix.CloseOnExec(fd)
	}
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, helperRole+"=") {
			env = append(env, v)
		}
	}
	return syscall.Exec(os.Args[1], os.Args[1:], env)
}

// install makes the kernel ask a watch before calls that the filter selects, of this thread and what becomes of it.
func install(program []unix.SockFilter) (watch int, err error) {
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&p)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// Where a filter finds a call's number and the low halves of its arguments, in struct seccomp_data.
const numberAt, argumentsAt = 0, 16

// filter selects the calls that have effects.
func filter() []unix.SockFilter {
	statement := func(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }
	load := func(at uint32) unix.SockFilter { return statement(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, at) }
	allow, ask := statement(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_ALLOW), statement(unix.BPF_RET|unix.BPF_K, unix.SECCOMP_RET_USER_NOTIF)
	unless := func(code uint16, k uint32) unix.SockFilter { // the next, or the one after it
		return unix.SockFilter{Code: unix.BPF_JMP | code | unix.BPF_K, K: k, Jf: 1}
	}
	skip := func(nr uint32, n uint8) unix.SockFilter { // all of a call's statements, for other calls
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: n}
	}
	program := []unix.SockFilter{load(numberAt)}
	for nr := range effects {
		switch nr {
		case unix.SYS_OPENAT:
			program = append(program, skip(nr, 4), load(argumentsAt+2*8), unless(unix.BPF_JSET, unix.O_CREAT), ask, allow)
		case unix.SYS_SENDTO:
			program = append(program, skip(nr, 4), load(argumentsAt+5*8), unless(unix.BPF_JEQ, unix.SizeofSockaddrNetlink), ask, allow)
		default:
			program = append(program, skip(nr, 1), ask)
		}
	}
	return append(program, allow)
}
