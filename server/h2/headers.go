package h2

import (
	"context"
	"io"
	"net/http"

	"golang.org/x/net/http2"
)

// onHeaders begins a stream, or ends a request with its trailers.
func (c *conn) onHeaders(f *http2.MetaHeadersFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := f.StreamID
	if f.HasPriority() {
		if err := checkPriority(id, f.Priority); err != nil {
			return err
		}
	}
	switch st := c.streams[id]; {
	case st != nil && st.heard:
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeStreamClosed}
	case st != nil:
		return st.body.takeTrailer(f)
	case c.idle(id) && id%2 == 0:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	case !c.idle(id):
		return c.afterTheEnd(id)
	case c.draining && c.told:
		return nil // the client has been told that this one is not taken
	}
	c.last = id
	if len(c.streams) >= c.limits.streams || c.running >= 2*c.limits.streams {
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeRefusedStream}
	}
	return c.begin(f)
}

// afterTheEnd judges headers of a stream that has ended.
func (c *conn) afterTheEnd(id uint32) error {
	switch e, known := c.ended.find(id); {
	case e.cut:
		return nil // trailers that were on their way
	case known:
		return http2.ConnectionError(http2.ErrCodeStreamClosed)
	}
	return http2.ConnectionError(http2.ErrCodeProtocol)
}

// begin starts a request's handler.
func (c *conn) begin(f *http2.MetaHeadersFrame) error {
	ctx, cancel := context.WithCancel(c.base)
	st := newStream(c, f.StreamID, cancel)
	r, err := c.request(ctx, st, f)
	if err != nil {
		cancel()
		return err
	}
	st.heard = f.StreamEnded()
	c.streams[st.id] = st
	c.running++
	c.stopIdling()
	handler := c.handler
	if f.Truncated {
		handler = tooLarge
	}
	go c.run(handler, st, r)
	return nil
}

// tooLarge answers requests whose headers are.
var tooLarge = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge)
	_, _ = io.WriteString(w, "The header of the request is too large.\n")
})

// takeTrailer ends a body with what comes after it.
func (b *body) takeTrailer(f *http2.MetaHeadersFrame) error {
	malformed := http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeProtocol}
	if !f.StreamEnded() || len(f.PseudoFields()) > 0 || b.declared >= 0 && b.came != b.declared {
		return malformed
	}
	if len(b.request.Trailer) > 0 {
		b.trailer = http.Header{}
		for _, field := range f.RegularFields() {
			b.trailer.Add(field.Name, field.Value)
		}
	}
	b.end()
	return nil
}
