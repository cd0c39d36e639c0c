package h2

import (
	"cmp"
	"runtime"
	"time"
)

// flush has what waits written. A handler whose stream is the only one does it itself; otherwise a goroutine does, so
// that whoever has more to say in this moment can still say it. c.mu is held, and given up while anything is written.
func (c *conn) flush(own *stream) {
	if c.flushing || c.err != nil || c.out.size == 0 {
		return
	}
	c.flushing = true
	if own == nil || len(c.streams) > 1 {
		go c.flushSoon()
		return
	}
	c.alone = own
	c.write()
	for own.waits() && c.out.size > 0 && c.err == nil {
		c.write()
	}
	c.alone = nil
	if c.out.size > 0 && c.err == nil { // others' by now
		go c.flushSoon()
		return
	}
	c.flushed()
}

// flushSoon first lets those run whom the same event has woken.
func (c *conn) flushSoon() {
	runtime.Gosched()
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out.size > 0 && c.err == nil {
		c.write()
	}
	c.flushed()
}

// holder is a connection that can write without waiting for its client.
type holder interface {
	// Hold has what is written kept until Release. It is false while something waits for the client already.
	Hold() bool
	// Release writes what was kept, as far as the client takes it at once. For the rest it has some time, in which nobody
	// waits. The error is of the connection; that the client takes too long shows when more is written.
	Release(patience time.Duration) error
}

// flushNow is flush for those who serve many connections: it never waits for a client. c.mu is held.
func (c *conn) flushNow() {
	if c.flushing || c.err != nil || c.out.size == 0 {
		return
	}
	c.flushing = true
	for c.holder != nil && c.out.size > 0 && c.err == nil && c.holder.Hold() {
		c.writeHeld()
	}
	if c.out.size > 0 && c.err == nil {
		go c.flushSoon()
		return
	}
	c.flushed()
}

func (c *conn) writeHeld() {
	out := c.out.take()
	c.mu.Unlock()
	_, err := c.tls.Write(out)
	err = cmp.Or(err, c.holder.Release(c.limits.writing))
	out.release()
	c.mu.Lock()
	if err != nil {
		c.fail(err)
	}
	c.fill()
}

// write writes what waits now, while more of it gathers.
func (c *conn) write() {
	out := c.out.take()
	c.fill()
	c.mu.Unlock()
	err := c.tls.SetWriteDeadline(time.Now().Add(c.limits.writing))
	if err == nil {
		_, err = c.tls.Write(out)
	}
	out.release()
	c.mu.Lock()
	if err != nil {
		c.fail(err)
	}
	c.fill()
}

// flushed ends flushing.
func (c *conn) flushed() {
	if c.done && c.out.size > 0 && c.err == nil {
		go c.flushSoon()
		return
	}
	c.flushing = false
	if c.done {
		c.hangUp()
	}
}
