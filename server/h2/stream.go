package h2

import (
	"context"
	"errors"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

var (
	errGone     = errors.New("h2: the client has gone")
	errFinished = errors.New("h2: the request has ended")
	errSlow     = errors.New("h2: the client takes too long to read")
)

// stream is a request and its answer. The connection's mutex guards it.
type stream struct {
	conn   *conn
	id     uint32
	heard  bool  // the client has said all
	said   bool  // we have
	cut    bool  // we have ended it before the client had said all
	err    error // why neither goes on
	window window

	push    *push  // nil while the handler itself sends
	pending []byte // what a handler waits with; it keeps still meanwhile
	ending  bool   // and then the stream ends
	queued  bool
	behind  *stream // in the queue

	cancel  context.CancelFunc // of the request's context
	body    *body              // nil: the request has none
	wake    sync.Cond          // of who waits to write, and of who waits for the body
	readBy  time.Time          // zero: whenever
	writeBy time.Time
}

func newStream(c *conn, id uint32, cancel context.CancelFunc) *stream {
	st := &stream{conn: c, id: id, cancel: cancel, window: window(c.first)}
	st.wake.L = &c.mu
	return st
}

// waits says whether something is still to be put into the output.
func (st *stream) waits() bool { return st.err == nil && (len(st.pending) > 0 || st.ending) }

// send puts p into the output, and the stream's end behind it, waiting until that is done. c.mu is held.
func (st *stream) send(p []byte, end bool) error {
	c := st.conn
	if err := st.writable(); err != nil {
		return err
	}
	st.pending, st.ending = p, end
	c.enqueue(st)
	c.fill()
	c.flush(st)
	for st.waits() {
		if err := st.sleep(st.writeBy); err != nil {
			c.reset(st, http2.ErrCodeInternal, err)
			break
		}
		c.flush(st)
	}
	st.pending = nil
	if st.said {
		return nil
	}
	return st.err
}

// writable says why nothing can be written any more.
func (st *stream) writable() error {
	switch {
	case st.err != nil:
		return st.err
	case st.said:
		return errFinished
	case late(st.writeBy):
		st.conn.reset(st, http2.ErrCodeInternal, os.ErrDeadlineExceeded)
		return os.ErrDeadlineExceeded
	}
	return nil
}

func late(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// sleep waits until something has changed, or until a time.
func (st *stream) sleep(until time.Time) error {
	if !until.IsZero() {
		left := time.Until(until)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		defer time.AfterFunc(left, st.stir).Stop()
	}
	st.wake.Wait()
	return nil
}

func (st *stream) stir() {
	st.conn.mu.Lock()
	defer st.conn.mu.Unlock()
	st.wake.Broadcast()
}

// reset ends a stream that has not come to its end, and tells the client.
func (c *conn) reset(st *stream, code http2.ErrCode, err error) {
	if c.streams[st.id] != st {
		return
	}
	st.cut = !st.heard
	c.drop(st, err)
	c.say(c.frames.WriteRSTStream(st.id, code))
}

// drop forgets a stream; whoever is at it gets the error.
func (c *conn) drop(st *stream, err error) {
	if st.err == nil {
		st.err = err
	}
	st.cancel()
	if st.push != nil {
		st.push.end()
	}
	c.forget(st)
	st.wake.Broadcast()
}

// endedHere notes that the answer is whole. What is still to come of the request nobody will read.
func (c *conn) endedHere(st *stream) {
	st.said = true
	st.cut = !st.heard
	c.forget(st)
	if st.cut {
		c.say(c.frames.WriteRSTStream(st.id, http2.ErrCodeNo))
	}
}

// forget closes a stream.
func (c *conn) forget(st *stream) {
	if c.streams[st.id] != st {
		return
	}
	delete(c.streams, st.id)
	c.ended.add(ended{st.id, st.cut})
	if st.body != nil {
		c.sayWindow(0, c.receive.give(st.body.discard()))
	}
	if len(c.streams) == 0 {
		c.rest()
	}
}

// refuse ends a stream of which nothing is known, or not enough.
func (c *conn) refuse(id uint32, code http2.ErrCode) error {
	if !c.calm.Allow() {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.streams[id]; st != nil {
		st.cut = !st.heard
		c.drop(st, http2.StreamError{StreamID: id, Code: code})
	} else if _, known := c.ended.find(id); !known {
		if id%2 == 0 {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		c.last = max(c.last, id)
		c.ended.add(ended{id, true})
	}
	c.say(c.frames.WriteRSTStream(id, code))
	return nil
}

// run has the handler answer.
func (c *conn) run(h http.Handler, st *stream, r *http.Request) {
	defer c.leave(st)
	w := &response{st: st, head: r.Method == http.MethodHead}
	defer func() {
		v := recover()
		if err, ok := v.(error); v != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
			c.server.logf("h2: panic serving %s: %v\n%s", c.remote, v, debug.Stack())
		}
	}()
	h.ServeHTTP(w, r)
	w.finish()
}

// leave ends what a handler has left behind: an answer that is not whole by now will not be.
func (c *conn) leave(st *stream) {
	st.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	c.reset(st, http2.ErrCodeInternal, errFinished)
}
