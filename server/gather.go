package server

import (
	"net"
	"sync"
	"time"
)

// TLS hands a connection a record at a time, at most 16 KiB. A write for each would be a good part of what a long list
// costs. So a connection gathers what is certain to go on, and writes it while the next records are being made.
const (
	gatherFrom = 4 << 10  // bytes: HTTP/2 writes less only when it has nothing more for now
	gatherMost = 64 << 10 // bytes that wait at most: whoever writes more has to wait for the client
)

// gathering makes the connections of a listener gather what they write.
type gathering struct{ net.Listener }

func (l gathering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newGatheringConn(c), nil
}

// gatheringConn takes what is written and writes it in larger pieces, in order. A failure shows at the next write, or
// not at all: as with a socket, that something was written does not tell that it has arrived.
type gatheringConn struct {
	net.Conn

	mu       sync.Mutex
	changed  sync.Cond // writing has ended, or pending got shorter
	pending  []byte    // nil when nothing waits, so that idle connections keep no room
	due      bool      // a goroutine is on its way to write what is pending
	writing  bool
	err      error // of the first write that failed
	deadline time.Time
}

func newGatheringConn(c net.Conn) *gatheringConn {
	g := &gatheringConn{Conn: c}
	g.changed.L = &g.mu
	return g
}

var gathered = sync.Pool{New: func() any { b := make([]byte, 0, gatherMost+(32<<10)); return &b }}

// Write writes at once what is short, with what waits; more than that waits for what follows.
func (c *gatheringConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && len(c.pending) >= gatherMost {
		c.changed.Wait()
	}
	if c.err != nil {
		return 0, c.err
	}
	idle := !c.due && !c.writing
	if idle && len(p) < gatherFrom {
		c.writing = true
		c.send(p)
		c.finish()
		if c.err != nil {
			return 0, c.err
		}
		return len(p), nil
	}
	if c.pending == nil {
		c.pending = (*gathered.Get().(*[]byte))[:0]
	}
	c.pending = append(c.pending, p...)
	if idle {
		c.due = true
		go c.drain()
	}
	return len(p), nil
}

// drain writes what is pending.
func (c *gatheringConn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due, c.writing = false, true
	c.finish()
}

// finish writes until nothing is pending, and ends writing. c.mu is held, but not while it writes.
func (c *gatheringConn) finish() {
	for len(c.pending) > 0 && c.err == nil {
		out := c.pending
		c.pending = nil
		c.changed.Broadcast()
		c.send(out)
		gathered.Put(&out)
	}
	c.writing = false
	c.changed.Broadcast()
}

// send writes with c.mu given up meanwhile.
func (c *gatheringConn) send(p []byte) {
	c.mu.Unlock()
	_, err := c.Conn.Write(p)
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
}

// SetWriteDeadline also bounds what is pending. A time that has passed ends writes at once, as ever, unless they were
// given a time that is still to come: they have until then, since their writer takes them for done.
func (c *gatheringConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	if now := time.Now(); !t.IsZero() && !t.After(now) && c.deadline.After(now) {
		for c.due || c.writing {
			c.changed.Wait()
		}
	}
	c.deadline = t
	c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *gatheringConn) SetDeadline(t time.Time) error {
	if err := c.Conn.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close ends the connection; what is still pending is lost.
func (c *gatheringConn) Close() error {
	c.mu.Lock()
	if c.err == nil {
		c.err = net.ErrClosed
	}
	c.changed.Broadcast()
	c.mu.Unlock()
	return c.Conn.Close()
}
