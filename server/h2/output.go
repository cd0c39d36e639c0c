package h2

import (
	"encoding/binary"
	"sync"

	"golang.org/x/net/http2"
)

// frameHead is the size of what comes before a frame's payload, in bytes.
const frameHead = 9

// output is frames that wait to be written, in order. An idle connection's has no memory.
type output []byte

var outputs = sync.Pool{New: func() any { b := make(output, 0, outMost+frameMost+frameHead); return &b }}

// Write implements io.Writer, for a Framer. It takes everything.
func (o *output) Write(p []byte) (int, error) {
	o.room()
	*o = append(*o, p...)
	return len(p), nil
}

func (o *output) room() {
	if *o == nil {
		*o = (*outputs.Get().(*output))[:0]
	}
}

// data appends a DATA frame. A Framer would copy it once more.
func (o *output) data(stream uint32, payload []byte, end bool) {
	o.room()
	n, flags := len(payload), http2.Flags(0)
	if end {
		flags = http2.FlagDataEndStream
	}
	*o = append(*o, byte(n>>16), byte(n>>8), byte(n), byte(http2.FrameData), byte(flags))
	*o = binary.BigEndian.AppendUint32(*o, stream)
	*o = append(*o, payload...)
}

// release gives the memory of what has been written back.
func (o output) release() {
	if cap(o) <= 2*outMost {
		outputs.Put(&o)
	}
}
