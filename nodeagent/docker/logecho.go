package docker

import (
	"bytes"
	"hash/maphash"
	"time"
)

// echoes finds the records of one stream that an engine sends twice: 20.10 repeats the last ones of a file to whoever
// follows a log when it goes on to the next.
//
// A record is known again by its time, which counts nanoseconds, and its text. The pieces of a long line have one time and
// may be alike: they are known by the first.
type echoes struct {
	seen     map[echo]bool
	order    []echo // the last ones, the oldest at next
	next     int
	newest   time.Time
	within   bool // a line whose end has not come yet
	dropping bool // and which is being sent again
}

type echo struct {
	nanos int64
	text  uint64
}

// echoMemory is how many records are remembered: more than an engine repeats.
const echoMemory = 1024

var echoSeed = maphash.MakeSeed()

// again says whether a record has come before, and remembers it.
func (e *echoes) again(r entry) bool {
	begins := !e.within
	e.within = !bytes.HasSuffix(r.text, []byte("\n"))
	if !begins {
		return e.dropping
	}
	key := echo{r.time.UnixNano(), maphash.Bytes(echoSeed, r.text)}
	e.dropping = !r.time.After(e.newest) && e.seen[key]
	if !e.dropping {
		e.remember(key, r.time)
	}
	return e.dropping
}

func (e *echoes) remember(key echo, at time.Time) {
	if at.After(e.newest) {
		e.newest = at
	}
	if e.seen == nil {
		e.seen = map[echo]bool{}
	}
	if len(e.order) < echoMemory {
		e.order = append(e.order, key)
	} else {
		delete(e.seen, e.order[e.next])
		e.order[e.next] = key
		e.next = (e.next + 1) % echoMemory
	}
	e.seen[key] = true
}
