package h2

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
)

// Source is what a stream sends whenever there is more of it.
type Source interface {
	// Append appends what there is to send by now, or nothing, without waiting for more. An error ends pushing.
	Append(dst []byte) ([]byte, error)
}

// push is a stream whose connection sends for it. The connection's mutex guards it.
type push struct {
	st     *stream
	source Source
	asking bool // somebody asks the source: err and panicked are theirs meanwhile
	again  bool // and is to do it once more
	ended  bool // nobody asks it any more

	unsent   []byte // what the source gave last, when the client did not take it at once
	err      error  // the source's
	panicked any
	done     chan struct{} // closed once it has ended
	place    int           // in its group; the topic's mutex guards it
}

// Push sends what a source has, now and whenever its topic is published, without the calling goroutine: the connection
// does it, together with what else it has to send. It ends with ctx, with an error of the source, or when the client does
// not take all at once: what has not been sent is for the caller to write, who can wait, and may push again then. Answers
// that have no body, or one of a known size, are not pushed: the error is http.ErrNotSupported.
func (w *response) Push(ctx context.Context, t *Topic, s Source) (unsent []byte, err error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.head || !bodyAllowed(w.status) || w.size >= 0 {
		return nil, http.ErrNotSupported
	}
	if err := w.FlushError(); err != nil {
		return nil, err
	}
	p := &push{st: w.st, source: s, done: make(chan struct{})}
	if err := p.begin(); err != nil {
		return nil, err
	}
	t.join(p)
	w.st.conn.push(&pushRoom{pushes: []*push{p}}) // what was published before
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	t.leave(p)
	p.stop()
	switch {
	case p.panicked != nil:
		panic(p.panicked)
	case p.unsent != nil || p.err != nil:
		return p.unsent, p.err
	}
	return nil, cmp.Or(w.gone(), ctx.Err())
}

func (p *push) begin() error {
	c := p.st.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := p.st.writable(); err != nil {
		return err
	}
	p.st.push = p
	return nil
}

// stop returns when nobody asks the source any more.
func (p *push) stop() {
	c := p.st.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	p.end()
	for p.asking {
		p.st.wake.Wait()
	}
}

// end gives the stream back to its handler. c.mu is held.
func (p *push) end() {
	if !p.ended {
		p.ended = true
		p.st.push = nil
		close(p.done)
	}
}

// ask gives what the source has. A panic is the handler's.
func (p *push) ask(dst []byte) (given []byte) {
	defer func() {
		if v := recover(); v != nil {
			p.panicked = fmt.Errorf("%v\n%s", v, debug.Stack())
			given = dst
		}
	}()
	given, p.err = p.source.Append(dst)
	return given
}

// pushRoom is what somebody who pushes needs.
type pushRoom struct {
	pushes []*push
	bytes  []byte
}

var pushRooms = sync.Pool{New: func() any { return &pushRoom{bytes: make([]byte, 0, frameMost)} }}

func (r *pushRoom) release() {
	clear(r.pushes[:cap(r.pushes)])
	if cap(r.bytes) <= 2*pieceMost {
		pushRooms.Put(r)
	}
}

// push asks the sources of streams of the connection, and sends what they give.
func (c *conn) push(room *pushRoom) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range room.pushes {
		c.pushOne(p, room)
		if c.out.size >= pushMost {
			c.flushNow()
		}
	}
	c.flushNow()
}

// pushOne asks until the source has nothing more, or has it asked by whoever does already.
func (c *conn) pushOne(p *push, room *pushRoom) {
	if p.asking {
		p.again = true
		return
	}
	for p.asking = !p.ended; p.asking; {
		p.again = false
		c.mu.Unlock()
		room.bytes = p.ask(room.bytes[:0])
		c.mu.Lock()
		c.deliver(p, room.bytes)
		p.asking = !p.ended && (p.again || len(room.bytes) > 0)
	}
	if p.ended {
		p.st.wake.Broadcast()
	}
}

// deliver puts what a source has given into the output, or leaves it to the handler.
func (c *conn) deliver(p *push, b []byte) {
	if p.panicked != nil || p.err != nil || !c.takes(p.st, len(b)) {
		if len(b) > 0 {
			p.unsent = slices.Clone(b)
		}
		p.end()
		return
	}
	for len(b) > 0 {
		n := min(len(b), c.frame)
		c.put(p.st, b[:n], false)
		b = b[n:]
	}
}

// takes says whether a stream may send n bytes now.
func (c *conn) takes(st *stream, n int) bool {
	room := c.out.size < pieceMost || c.out.size < c.most()
	return room && st.err == nil && !st.said && n <= pieceMost && window(n) <= min(c.window, st.window)
}
