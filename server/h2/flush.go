package h2

import (
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
