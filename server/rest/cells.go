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
		dst = append(dst, '"')
		r := timedReader{raw: cells[n+2:]}
		if letter := cells[n+1]; letter == ofAge {
			dst = appendAge(dst, r.number(), now)
		} else {
			dst = append(dst, r.read(letter).At(now)...)
		}
		dst = append(dst, '"')
		cells = r.raw
	}
}

// appendAge appends what kind.Age would print, for the cell that every row has: without a string of its own.
func appendAge(dst []byte, seconds int64, now time.Time) []byte {
	if seconds == 0 {
		return append(dst, kind.Age{}.At(now)...)
	}
	return appendDuration(dst, now.Sub(time.Unix(seconds, 0)))
}

// timedReader reads back what appendTimed wrote.
type timedReader struct{ raw []byte }

func (r *timedReader) read(letter byte) kind.Timed {
	switch letter {
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
