package h2

import (
	"encoding/binary"
	"sync"

	"golang.org/x/net/http2"
)

// frameHead is the size of what comes before a frame's payload, in bytes.
const frameHead = 9

// output is frames that wait to be written, in order. An idle connection's has no memory.
type output struct {
	size int     // bytes of all
	full []piece // in order, and before last
	last piece
}

// piece is as much as is written at once.
type piece []byte

var pieces = sync.Pool{New: func() any { p := make(piece, 0, pieceMost+frameMost+frameHead); return &p }}

// Write implements io.Writer, for a Framer. It takes everything.
func (o *output) Write(p []byte) (int, error) {
	o.room()
	o.last = append(o.last, p...)
	o.size += len(p)
	return len(p), nil
}

// room makes room for a frame.
func (o *output) room() {
	if len(o.last) >= pieceMost {
		o.full = append(o.full, o.last)
		o.last = nil
	}
	if o.last == nil {
		o.last = (*pieces.Get().(*piece))[:0]
	}
}

// data appends a DATA frame. A Framer would copy it once more.
func (o *output) data(stream uint32, payload []byte, end bool) {
	o.room()
	n, flags := len(payload), http2.Flags(0)
	if end {
		flags = http2.FlagDataEndStream
	}
	b := append(o.last, byte(n>>16), byte(n>>8), byte(n), byte(http2.FrameData), byte(flags))
	b = binary.BigEndian.AppendUint32(b, stream)
	o.last = append(b, payload...)
	o.size += frameHead + n
}

// take takes the piece that is first.
func (o *output) take() piece {
	first := o.last
	if len(o.full) > 0 {
		first = o.full[0]
		o.full = append(o.full[:0], o.full[1:]...)
	} else {
		o.last, o.full = nil, nil
	}
	o.size -= len(first)
	return first
}

// release gives the memory of what has been written back.
func (p piece) release() {
	if cap(p) <= 2*pieceMost {
		pieces.Put(&p)
	}
}
