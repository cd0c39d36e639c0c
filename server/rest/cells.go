package rest

import (
	"bytes"
	"encoding/binary"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

// renderCells appends a row's cells as JSON, those that depend on the time as they are now.
func renderCells(dst, cells []byte, now time.Time) []byte {
	for {
		n := bytes.IndexByte(cells, timedMark)
		if n < 0 {
			return append(dst, cells...)
		}
		dst = append(dst, cells[:n]...)
		r := timedReader{raw: cells[n+2:]}
		dst = append(dst, '"')
		dst = append(dst, r.read(cells[n+1]).At(now)...)
		dst = append(dst, '"')
		cells = r.raw
	}
}

// timedReader reads back what appendTimed wrote.
type timedReader struct{ raw []byte }

func (r *timedReader) read(letter byte) kind.Timed {
	switch letter {
	case ofAge:
		return kind.Age(r.time())
	case ofRestart:
		count := r.number()
		return kind.Restarts{Count: int(count), Last: r.time()}
	default:
		count := r.number()
		first := kind.Age(r.time())
		return kind.Seen{Count: int32(count), First: first, Last: kind.Age(r.time()), Often: letter == ofOften}
	}
}

func (r *timedReader) number() int64 {
	v, n := binary.Varint(r.raw)
	r.raw = r.raw[n:]
	return v
}

func (r *timedReader) time() metav1.Time {
	seconds := r.number()
	if seconds == 0 {
		return metav1.Time{}
	}
	return metav1.Unix(seconds, 0)
}
