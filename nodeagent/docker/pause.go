package docker

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// pauseProgram is the whole of a sandbox's process, as a static ELF executable of a few hundred bytes. It needs about
// 12 kB of memory where the smallest Go program needs 1.4 MB, and a node has one for each pod. What it does, in C:
//
//	struct sigaction ignore = { .sa_handler = SIG_IGN };
//	rt_sigaction(SIGCHLD, &ignore, NULL, 8); // as PID 1 of a shared PID namespace: the kernel reaps for it
//	for (;;) pause();                        // ppoll(NULL, 0, NULL, NULL, 0) where there is no pause
//
// As PID 1 it has no handler for TERM, so it is stopped with KILL.
func pauseProgram(arch string) ([]byte, error) {
	machine, ok := pauseMachines[arch]
	if !ok {
		return nil, fmt.Errorf("no sandbox program for architecture %q", arch)
	}
	return elfExecutable(machine.elf, append(bytes.Clone(machine.code), ignoreAction...)), nil
}

// ignoreAction is the kernel's struct sigaction with the handler SIG_IGN (1): handler, flags, restorer, mask.
// The code of each architecture refers to it as the bytes that follow.
var ignoreAction = []byte{1, 31: 0}

type pauseMachine struct {
	elf  uint16 // e_machine
	code []byte
}

var pauseMachines = map[string]pauseMachine{
	"amd64": {elf: 62, code: []byte{
		0xb8, 13, 0, 0, 0, //              mov  eax, 13 (rt_sigaction)
		0xbf, 17, 0, 0, 0, //              mov  edi, 17 (SIGCHLD)
		0x48, 0x8d, 0x35, 19, 0, 0, 0, //  lea  rsi, [rip+19] (ignoreAction)
		0x31, 0xd2, //                     xor  edx, edx
		0x41, 0xba, 8, 0, 0, 0, //         mov  r10d, 8 (bytes of a signal mask)
		0x0f, 0x05, //                     syscall
		0xb8, 34, 0, 0, 0, //              mov  eax, 34 (pause)
		0x0f, 0x05, //                     syscall
		0xeb, 0xf7, //                     jmp  -9 (mov eax, 34)
	}},
	"arm64": {elf: 183, code: words(
		0xd28010c8, // mov  x8, #134 (rt_sigaction)
		0xd2800220, // mov  x0, #17 (SIGCHLD)
		0x100001a1, // adr  x1, +52 (ignoreAction)
		0xd2800002, // mov  x2, #0
		0xd2800103, // mov  x3, #8 (bytes of a signal mask)
		0xd4000001, // svc  #0
		0xd2800928, // mov  x8, #73 (ppoll)
		0xd2800000, // mov  x0, #0
		0xd2800001, // mov  x1, #0
		0xd2800002, // mov  x2, #0
		0xd2800003, // mov  x3, #0
		0xd2800004, // mov  x4, #0
		0xd4000001, // svc  #0
		0x17fffff9, // b    -28 (mov x8, #73)
		0xd503201f, // nop
	)},
}

func words(instructions ...uint32) []byte {
	var code []byte
	for _, i := range instructions {
		code = binary.LittleEndian.AppendUint32(code, i)
	}
	return code
}

// elfExecutable wraps code in the least that Linux loads: a file header, and one segment that is the file itself,
// readable and executable, with the entry point behind the headers.
func elfExecutable(machine uint16, code []byte) []byte {
	const (
		base        = 0x400000
		fileHeader  = 64
		segmentSize = 56
		entry       = fileHeader + segmentSize
		page        = 0x10000 // the largest page size in use
	)
	le := binary.LittleEndian
	b := []byte{0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little endian */, 1, 15: 0}
	b = le.AppendUint16(b, 2) // executable
	b = le.AppendUint16(b, machine)
	b = le.AppendUint32(b, 1) // version
	b = le.AppendUint64(b, base+entry)
	b = le.AppendUint64(b, fileHeader) // program headers begin here
	b = le.AppendUint64(b, 0)          // no section headers
	b = le.AppendUint32(b, 0)          // flags
	for _, size := range []uint16{fileHeader, segmentSize, 1, 0, 0, 0} {
		b = le.AppendUint16(b, size)
	}
	total := uint64(entry + len(code))
	b = le.AppendUint32(b, 1) // PT_LOAD
	b = le.AppendUint32(b, 5) // read, execute
	for _, v := range []uint64{0, base, base, total, total, page} {
		b = le.AppendUint64(b, v)
	}
	return append(b, code...)
}
