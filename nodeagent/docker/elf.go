package docker

import "encoding/binary"

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
