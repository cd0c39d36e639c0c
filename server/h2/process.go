package h2

import (
	"fmt"

	"golang.org/x/net/http2"
)

// process does what a frame asks for. The error ends a stream or the connection.
func (c *conn) process(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return c.onHeaders(f)
	case *http2.DataFrame:
		return c.onData(f)
	case *http2.WindowUpdateFrame:
		return c.onWindowUpdate(f)
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if !c.calm.Allow() {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	switch f := f.(type) {
	case *http2.SettingsFrame:
		return c.onSettings(f)
	case *http2.PingFrame:
		c.onPing(f)
	case *http2.RSTStreamFrame:
		return c.onReset(f)
	case *http2.PriorityFrame:
		return checkPriority(f.StreamID, f.PriorityParam)
	case *http2.GoAwayFrame:
		c.drain()
	}
	return nil
}

// checkPriority finds a stream that waits for itself. What else a priority says is left to whoever likes it.
func checkPriority(id uint32, p http2.PriorityParam) error {
	if p.StreamDep == id {
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	}
	return nil
}

// idle says whether a stream has not begun yet.
func (c *conn) idle(id uint32) bool { return id > c.last || id%2 == 0 }

func (c *conn) onReset(f *http2.RSTStreamFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle(f.StreamID) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if st := c.streams[f.StreamID]; st != nil {
		c.drop(st, fmt.Errorf("%w: %s", errGone, f.ErrCode))
	}
	return nil
}

func (c *conn) onWindowUpdate(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		if !c.window.grow(int64(f.Increment)) {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
	} else {
		st := c.streams[f.StreamID]
		switch {
		case st == nil && c.idle(f.StreamID):
			return http2.ConnectionError(http2.ErrCodeProtocol)
		case st == nil:
			return nil
		case !st.window.grow(int64(f.Increment)):
			return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeFlowControl}
		}
		c.enqueue(st)
	}
	c.fill()
	c.flush(nil)
	return nil
}

// onData gives a body what has come of it.
func (c *conn) onData(f *http2.DataFrame) error {
	if len(f.Data()) == 0 && !f.StreamEnded() && !c.calm.Allow() {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle(f.StreamID) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if !c.receive.take(int(f.Length)) {
		return http2.ConnectionError(http2.ErrCodeFlowControl)
	}
	st := c.streams[f.StreamID]
	if st == nil || st.heard {
		c.sayWindow(0, c.receive.give(int(f.Length)))
		if e, _ := c.ended.find(f.StreamID); e.cut {
			return nil // it was on its way
		}
		return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeStreamClosed}
	}
	return st.body.take(f)
}
