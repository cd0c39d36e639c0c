package docker

import "encoding/binary"

// call is a system call. Where it fails the program ends with the error as its exit code, but for one that is made
// forever.
type call struct {
	name    string
	args    []arg
	forever bool
}

// arg is an argument of a system call: a number, or the address of bytes that follow the code.
type arg struct {
	number uint32
	bytes  []byte
}

func number(n uint32) arg     { return arg{number: n} }
func bytesAt(data []byte) arg { return arg{bytes: data} }

// machine is how system calls are made on one architecture.
type machine struct {
	elf       uint16 // e_machine
	numbers   map[string]uint32
	pauseArgs []arg
	load      func(code []byte, register int, n uint32) []byte    // puts a number into an argument's register
	address   func(code []byte, register int, offset int) []byte  // puts an address there, offset bytes from here
	call      func(code []byte, number uint32, check bool) []byte // calls; check: ends the program on an error
	jump      func(code []byte, offset int) []byte                // goes on elsewhere, offset bytes from here
}

// machines are those that have sandbox programs, by the engine's name of the architecture.
var machines = map[string]machine{"amd64": amd64, "arm64": arm64}

// assemble makes the calls one after the other, with what they point to behind the code.
func assemble(m machine, calls []call) []byte {
	code, _ := m.encode(calls, 0) // for its length
	code, data := m.encode(calls, len(code))
	return append(code, data...)
}

// encode gives the code and the data, which will stand dataAt bytes behind the code's beginning.
func (m machine) encode(calls []call, dataAt int) (code, data []byte) {
	for _, c := range calls {
		begin := len(code)
		for i, a := range c.args {
			if a.bytes == nil {
				code = m.load(code, i, a.number)
				continue
			}
			code = m.address(code, i, dataAt+len(data)-len(code))
			data = append(data, a.bytes...)
		}
		code = m.call(code, m.numbers[c.name], !c.forever)
		if c.forever {
			code = m.jump(code, begin-len(code))
		}
	}
	return code, data
}

var amd64 = machine{
	elf: 62,
	numbers: map[string]uint32{
		"unshare": 272, "setgroups": 116, "setresgid": 119, "setresuid": 117, "capset": 126, "rt_sigaction": 13, "pause": 34,
	},
	load: func(code []byte, register int, n uint32) []byte { // mov edi|esi|edx|r10d, n
		code = append(code, [][]byte{{0xbf}, {0xbe}, {0xba}, {0x41, 0xba}}[register]...)
		return binary.LittleEndian.AppendUint32(code, n)
	},
	address: func(code []byte, register int, offset int) []byte { // lea rdi|rsi, [rip+…]
		code = append(code, 0x48, 0x8d, []byte{0x3d, 0x35}[register])
		return binary.LittleEndian.AppendUint32(code, uint32(offset-7))
	},
	call: func(code []byte, number uint32, check bool) []byte {
		code = append(code, 0xb8) // mov eax, number
		code = binary.LittleEndian.AppendUint32(code, number)
		code = append(code, 0x0f, 0x05) // syscall
		if check {
			code = append(code,
				0x85, 0xc0, //             test eax, eax
				0x79, 11, //               jns  +11
				0xf7, 0xd8, //             neg  eax
				0x89, 0xc7, //             mov  edi, eax
				0xb8, 0xe7, 0, 0, 0, //    mov  eax, 231 (exit_group)
				0x0f, 0x05, //             syscall
			)
		}
		return code
	},
	jump: func(code []byte, offset int) []byte { return append(code, 0xeb, byte(offset-2)) }, // jmp
}

var arm64 = machine{
	elf: 183,
	numbers: map[string]uint32{
		"unshare": 97, "setgroups": 159, "setresgid": 149, "setresuid": 147, "capset": 91, "rt_sigaction": 134, "pause": 73, // ppoll
	},
	pauseArgs: []arg{number(0), number(0), number(0), number(0), number(0)},
	load: func(code []byte, register int, n uint32) []byte {
		return words(code,
			0xd2800000|n&0xffff<<5|uint32(register), // movz xR, #low half
			0xf2a00000|n>>16<<5|uint32(register))    // movk xR, #high half, lsl #16
	},
	address: func(code []byte, register int, offset int) []byte { // adr xR, offset
		return words(code, 0x10000000|uint32(offset)&3<<29|uint32(offset)>>2&0x7ffff<<5|uint32(register))
	},
	call: func(code []byte, number uint32, check bool) []byte {
		code = words(code, 0xd2800008|number<<5, 0xd4000001) // movz x8, #number; svc #0
		if check {
			code = words(code,
				0xb6f80080,       // tbz  x0, #63, +16
				0xcb0003e0,       // neg  x0, x0
				0xd2800008|94<<5, // movz x8, #94 (exit_group)
				0xd4000001,       // svc  #0
			)
		}
		return code
	},
	jump: func(code []byte, offset int) []byte { return words(code, 0x14000000|uint32(offset>>2)&0x3ffffff) }, // b
}

func words(code []byte, instructions ...uint32) []byte {
	for _, i := range instructions {
		code = binary.LittleEndian.AppendUint32(code, i)
	}
	return code
}
