package h2

import (
	"errors"
	"io"
	"math"
	"time"

	"golang.org/x/net/http2"
)

var errFlood = errors.New("h2: the client asks and does not read")

// farewell is the ping behind the news that the connection is about to end: with its answer the client has them.
var farewell = [8]byte{'f', 'a', 'r', 'e', 'w', 'e', 'l', 'l'}

// farewellTime is how long the answer is waited for.
const farewellTime = time.Second

// closing is the way of a connection to its end: it is draining until its requests have ended, and done when nothing
// more is said.
type closing struct {
	done     bool
	draining bool
	told     bool    // up to which stream requests are taken
	alone    *stream // that writes itself
	idler    *time.Timer
	waiter   *time.Timer
}

// drain ends the connection once its requests have ended. Requests that are on their way are taken still.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startDraining()
}

func (c *conn) startDraining() {
	if c.draining || c.err != nil {
		return
	}
	c.draining = true
	c.say(c.frames.WriteGoAway(math.MaxInt32, http2.ErrCodeNo, nil))
	c.say(c.frames.WritePing(false, farewell))
	c.waiter = time.AfterFunc(farewellTime, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.leaveTaking()
	})
}

// leaveTaking tells which requests are taken, when the client knows that it should send no more.
func (c *conn) leaveTaking() {
	if !c.draining || c.told {
		return
	}
	c.told = true
	c.say(c.frames.WriteGoAway(c.last, http2.ErrCodeNo, nil))
	if len(c.streams) == 0 {
		c.finish()
	}
}

// rest is called when no stream is left.
func (c *conn) rest() {
	switch {
	case c.err != nil || c.done:
	case c.told:
		c.finish()
	case c.idler != nil:
		c.idler.Reset(c.limits.idle)
	case c.limits.idle > 0:
		c.idler = time.AfterFunc(c.limits.idle, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.streams) == 0 {
				c.startDraining()
			}
		})
	}
}

func (c *conn) stopIdling() {
	if c.idler != nil {
		c.idler.Stop()
	}
}

func (c *conn) stopTimers() {
	c.stopIdling()
	if c.waiter != nil {
		c.waiter.Stop()
	}
}

// finish has the connection closed when all is written.
func (c *conn) finish() {
	c.done = true
	if c.flushing {
		return
	}
	if c.out.size > 0 {
		c.flush(nil)
		return
	}
	c.hangUp()
}

// hangUp closes the connection for writing. The client has a moment to read and to do the same, as a socket that is
// closed with something unread may lose what was written last.
func (c *conn) hangUp() {
	_ = c.tls.SetReadDeadline(time.Now().Add(c.limits.lingering))
	go func() { _ = c.tls.CloseWrite() }()
}

// goAway tells the client why the reader ends, where that is the client's fault, and waits until it knows.
func (c *conn) goAway(err error) {
	var fault http2.ConnectionError
	switch {
	case errors.Is(err, http2.ErrFrameTooLarge):
		fault = http2.ConnectionError(http2.ErrCodeFrameSize)
	case !errors.As(err, &fault):
		return
	}
	c.mu.Lock()
	for _, st := range c.streams {
		c.drop(st, fault)
	}
	c.draining, c.told = true, true
	if c.err == nil {
		c.say(c.frames.WriteGoAway(c.last, http2.ErrCode(fault), nil))
		c.finish()
	}
	c.mu.Unlock()
	_, _ = io.Copy(io.Discard, c.tls)
}
