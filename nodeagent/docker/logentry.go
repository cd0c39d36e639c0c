package docker

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"
)

// entry is one record of a container's log: a line, or a piece of a line that was too long for one record.
type entry struct {
	stderr bool
	time   time.Time
	text   []byte // with its newline, when it ends a line; valid until the next entry is read
}

// The engine writes a fixed-width time and a space before each record, and cuts lines into records of 16 kB.
const (
	timeWidth   = len("2006-01-02T15:04:05.000000000Z")
	prefixWidth = timeWidth + 1
	recordLimit = 16 * 1024
	frameLimit  = 1 << 20 // more than this in a frame is no log of the engine's
)

// entryReader reads records from the engine's answer to a request for logs with timestamps.
type entryReader struct {
	from *bufio.Reader
	tty  bool // then the answer is bare text; otherwise each record comes in a frame that names its stream
	buf  []byte
}

func newEntryReader(from io.Reader, tty bool) *entryReader {
	return &entryReader{from: bufio.NewReaderSize(from, 32*1024), tty: tty}
}

func (r *entryReader) next() (entry, error) {
	if r.tty {
		return r.nextBare()
	}
	return r.nextFrame()
}

func (r *entryReader) nextFrame() (entry, error) {
	var header [8]byte
	if _, err := io.ReadFull(r.from, header[:]); err != nil {
		return entry{}, err
	}
	size := binary.BigEndian.Uint32(header[4:])
	if header[0] > 2 || size > frameLimit {
		return entry{}, fmt.Errorf("reading log: the engine sent a frame of stream %d with %d bytes", header[0], size)
	}
	r.buf = slices.Grow(r.buf[:0], int(size))[:size]
	if _, err := io.ReadFull(r.from, r.buf); err != nil {
		return entry{}, io.ErrUnexpectedEOF
	}
	e := split(r.buf)
	e.stderr = header[0] == 2
	return e, nil
}

// nextBare reads a record of a terminal's log: up to a newline, or as much as a record holds.
func (r *entryReader) nextBare() (entry, error) {
	r.buf = r.buf[:0]
	for len(r.buf) < prefixWidth+recordLimit {
		b, err := r.from.ReadByte()
		if err != nil {
			if len(r.buf) > 0 {
				break // what came without a newline before the end
			}
			return entry{}, err
		}
		r.buf = append(r.buf, b)
		if b == '\n' {
			break
		}
	}
	return split(r.buf), nil
}

// split takes the time off a record. One that has none is passed on as it is.
func split(record []byte) entry {
	if len(record) >= prefixWidth && record[timeWidth] == ' ' {
		if t, err := time.Parse(time.RFC3339Nano, string(record[:timeWidth])); err == nil {
			return entry{time: t, text: record[prefixWidth:]}
		}
	}
	return entry{text: record}
}
