// Package gather makes connections that write in larger pieces than they are given:
//
//	l = tls.NewListener(gather.Listener(l), config)
//
// TLS hands a connection a record at a time, at most 16 KiB. A write for each would be a good part of what a long list
// costs. So a connection gathers what is certain to go on, and writes it while the next records are being made. And who
// serves many clients at once can write without waiting for one of them (Hold, Release).
package gather

import (
	"net"
	"sync"
	"time"
)

const (
	from = 4 << 10  // bytes: HTTP/2 writes less only when it has nothing more for now
	most = 64 << 10 // bytes that wait at most: whoever writes more has to wait for the client
)

// Listener gives a listener whose connections gather what they write.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(c), nil
}

// Conn takes what is written and writes it in larger pieces, in order. A failure shows at the next write, or not at all:
// as with a socket, that something was written does not tell that it has arrived.
type Conn struct {
	net.Conn

	mu       sync.Mutex
	due      bool // a goroutine is on its way to write what is pending
	writing  bool
	held     bool       // until Release
	pending  []byte     // nil when nothing waits, so that idle connections keep no room
	err      error      // of the first write that failed
	now      *nowWriter // made at the first Hold
	deadline time.Time
	changed  sync.Cond // writing has ended, or pending got shorter
}

func newConn(c net.Conn) *Conn {
	g := &Conn{Conn: c}
	g.changed.L = &g.mu
	return g
}

var rooms = sync.Pool{New: func() any { b := make([]byte, 0, most+(32<<10)); return &b }}

// Write writes at once what is short, with what waits; more than that waits for what follows.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.err == nil && !c.held && len(c.pending) >= most {
		c.changed.Wait()
	}
	if c.err != nil {
		return 0, c.err
	}
	if c.held {
		c.keep(p)
		return len(p), nil
	}
	idle := !c.due && !c.writing
	if idle && len(p) < from {
		c.writing = true
		c.send(p)
		c.finish()
		if c.err != nil {
			return 0, c.err
		}
		return len(p), nil
	}
	c.keep(p)
	if idle {
		c.due = true
		go c.drain()
	}
	return len(p), nil
}

func (c *Conn) keep(p []byte) {
	if c.pending == nil {
		c.pending = (*rooms.Get().(*[]byte))[:0]
	}
	c.pending = append(c.pending, p...)
}

// drain writes what is pending.
func (c *Conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due, c.writing = false, true
	c.finish()
}

// finish writes until nothing is pending, and ends writing. c.mu is held, but not while it writes.
func (c *Conn) finish() {
	for len(c.pending) > 0 && c.err == nil {
		out := c.pending
		c.pending = nil
		c.changed.Broadcast()
		c.send(out)
		rooms.Put(&out)
	}
	c.writing = false
	c.changed.Broadcast()
}

// send writes with c.mu given up meanwhile.
func (c *Conn) send(p []byte) {
	c.mu.Unlock()
	_, err := c.Conn.Write(p)
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
}

// SetWriteDeadline also bounds what is pending. A time that has passed ends writes at once, as ever, unless they were
// given a time that is still to come: they have until then, since their writer takes them for done.
func (c *Conn) SetWriteDeadline(t time.Time) error {
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
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.Conn.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close ends the connection; what is still pending is lost.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.err == nil {
		c.err = net.ErrClosed
	}
	c.changed.Broadcast()
	c.mu.Unlock()
	return c.Conn.Close()
}
