package h2

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/net/http2"
)

var errBodyClosed = errors.New("h2: the body has been closed")

// body is a request's, on its way from the reader to the handler. The connection's mutex guards it.
type body struct {
	st       *stream
	receive  inflow
	buf      bytes.Buffer
	declared int64 // bytes; -1: the client has not said
	came     int64
	expects  bool // the client waits until it is told to go on
	closed   bool // nobody reads any more
	given    bool // what is in buf counts as read already
	ended    bool // nothing comes behind buf
	request  *http.Request
	trailer  http.Header // what came of request.Trailer
}

// take adds what a frame has. A body of another size than was declared is malformed.
func (b *body) take(f *http2.DataFrame) error {
	c, data, n := b.st.conn, f.Data(), int(f.Length)
	if !b.receive.take(n) {
		return http2.StreamError{StreamID: b.st.id, Code: http2.ErrCodeFlowControl}
	}
	b.came += int64(len(data))
	if b.declared >= 0 && (b.came > b.declared || f.StreamEnded() && b.came < b.declared) {
		c.sayWindow(0, c.receive.give(n))
		return http2.StreamError{StreamID: b.st.id, Code: http2.ErrCodeProtocol}
	}
	used := n - len(data) // padding
	if b.closed {
		used = n
	} else {
		b.buf.Write(data)
	}
	b.refund(used)
	if f.StreamEnded() {
		b.end()
	}
	b.st.wake.Broadcast()
	return nil
}

// end notes that the client has said all.
func (b *body) end() {
	b.ended = true
	b.st.heard = true
	b.st.wake.Broadcast()
}

// refund lets the client send as much again.
func (b *body) refund(n int) {
	if n == 0 || b.given {
		return
	}
	c := b.st.conn
	c.sayWindow(0, c.receive.give(n))
	if !b.st.heard && c.streams[b.st.id] == b.st {
		c.sayWindow(b.st.id, b.receive.give(n))
	}
}

// discard gives how much nobody will read any more of what others could have the room of.
func (b *body) discard() int {
	if b.given {
		return 0
	}
	b.given = true
	return b.buf.Len()
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	c := b.st.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if b.expects {
		b.expects = false
		c.inform(b.st, http.StatusContinue, nil)
	}
	for {
		switch {
		case b.closed:
			return 0, errBodyClosed
		case b.buf.Len() > 0:
			n, _ := b.buf.Read(p)
			b.refund(n)
			if b.buf.Len() == 0 && b.ended {
				b.buf = bytes.Buffer{}
			}
			return n, nil
		case b.ended:
			b.trail()
			return 0, io.EOF
		case b.st.err != nil:
			return 0, b.st.err
		case b.st.said:
			return 0, errFinished
		}
		if err := b.st.sleep(b.st.readBy); err != nil {
			return 0, fmt.Errorf("h2: reading the body: %w", err)
		}
	}
}

// trail gives the request the trailers that it announced.
func (b *body) trail() {
	for name := range b.request.Trailer {
		if values, ok := b.trailer[name]; ok {
			b.request.Trailer[name] = values
		}
	}
	b.trailer = nil
}

// Close implements io.Closer: nothing is read any more.
func (b *body) Close() error {
	c := b.st.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if !b.closed {
		b.closed = true
		n := b.buf.Len()
		b.buf = bytes.Buffer{}
		b.refund(n)
	}
	return nil
}
