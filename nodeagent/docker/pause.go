package docker

import "fmt"

// A sandbox's process is one of two programs, static ELF executables of a few hundred bytes. They need about 12 kB of
// memory where the smallest Go program needs 1.4 MB, and a node has one for each pod. What they do, in C:
//
//	unshare(CLONE_NEWNET);                   // /netns only: it ends with the error where it may not,
//	setgroups(0, NULL);                      // and gives up, for good, every right that this took
//	setresgid(65535, 65535, 65535);
//	setresuid(65535, 65535, 65535);
//	capset(&header, &none);
//
//	struct sigaction ignore = { .sa_handler = SIG_IGN };
//	rt_sigaction(SIGCHLD, &ignore, NULL, 8); // as PID 1 of a shared PID namespace: the kernel reaps for it
//	for (;;) pause();                        // ppoll(NULL, 0, NULL, NULL, 0) where there is no pause
//
// As PID 1 they have no handler for TERM, so they are stopped with KILL.

// pauseProgram waits.
func pauseProgram(arch string) ([]byte, error) { return sandboxProgram(arch, nil) }

// netnsProgram moves into a network namespace of its own first, and then waits there without any right.
func netnsProgram(arch string) ([]byte, error) {
	return sandboxProgram(arch, []call{
		{name: "unshare", args: []arg{number(cloneNewNet)}},
		{name: "setgroups", args: []arg{number(0), number(0)}},
		{name: "setresgid", args: []arg{number(nobody), number(nobody), number(nobody)}},
		{name: "setresuid", args: []arg{number(nobody), number(nobody), number(nobody)}},
		{name: "capset", args: []arg{bytesAt(capabilityHeader), bytesAt(noCapabilities)}},
	})
}

// nobody is the user and group that sandboxes run as.
const nobody = 65535

const (
	cloneNewNet = 0x40000000
	sigchld     = 17
	maskBytes   = 8 // of a signal mask
)

// What the programs point the kernel to.
var (
	ignoreAction     = []byte{1, 31: 0}                           // struct sigaction: SIG_IGN, flags, restorer, mask
	capabilityHeader = []byte{0x22, 0x05, 0x08, 0x20, 0, 0, 0, 0} // version 3, of the caller itself
	noCapabilities   = make([]byte, 2*3*4)                        // effective, permitted, inheritable; twice
)

func sandboxProgram(arch string, before []call) ([]byte, error) {
	m, ok := machines[arch]
	if !ok {
		return nil, fmt.Errorf("no sandbox program for architecture %q", arch)
	}
	calls := append(before,
		call{name: "rt_sigaction", args: []arg{number(sigchld), bytesAt(ignoreAction), number(0), number(maskBytes)}},
		call{name: "pause", args: m.pauseArgs, forever: true},
	)
	return elfExecutable(m.elf, assemble(m, calls)), nil
}
