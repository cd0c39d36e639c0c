package h2

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// heldMost is how much of an answer is gathered before it is sent, in bytes. Of a shorter one the client learns the size.
	heldMost = 4 << 10
	// heldLess is as much, once the answer has begun: what is larger is copied only once.
	heldLess = 1 << 10
)

var helds = sync.Pool{New: func() any { b := make([]byte, 0, heldMost); return &b }}

// response implements http.ResponseWriter and what http.ResponseController asks of one. A handler uses it from one
// goroutine at a time; deadlines may come from others.
type response struct {
	st   *stream
	head bool // only the header is asked for

	header  http.Header
	status  int         // 0: nothing has been said yet
	frozen  http.Header // header, as it was then
	begun   bool        // the header has been sent
	size    int64       // bytes that the handler has declared; -1: none
	written int64
	held    []byte // nil when nothing is
	ended   bool
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, 8)
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	switch {
	case w.status != 0 || w.ended:
		return
	case status < 100 || status > 999:
		panic("h2: invalid status " + strconv.Itoa(status))
	case status < 200 && status != http.StatusSwitchingProtocols:
		c := w.st.conn
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inform(w.st, status, w.header)
		return
	}
	w.status = status
	w.frozen = w.Header().Clone()
	w.size = sizeOf(w.frozen)
}

// sizeOf takes the declared size out of a header. What is none is not sent.
func sizeOf(h http.Header) int64 {
	declared := h.Get("Content-Length")
	if n, err := strconv.ParseUint(declared, 10, 63); declared != "" && err == nil {
		return int64(n)
	}
	h.Del("Content-Length")
	return -1
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if w.ended {
		return 0, errFinished
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.written += int64(len(p))
	switch {
	case !bodyAllowed(w.status):
		return 0, http.ErrBodyNotAllowed
	case w.size >= 0 && w.written > w.size:
		return 0, http.ErrContentLength
	case w.head:
		return len(p), nil
	case len(w.held)+len(p) <= heldMost && (!w.begun || len(p) < heldLess):
		if w.held == nil {
			w.held = (*helds.Get().(*[]byte))[:0]
		}
		w.held = append(w.held, p...)
		return len(p), nil
	}
	if err := w.release(false); err != nil {
		return 0, err
	}
	if err := w.send(p, false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// FlushError sends what there is.
func (w *response) FlushError() error {
	if w.ended {
		return errFinished
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.release(false)
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// finish ends the answer.
func (w *response) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	_ = w.release(true) // a client that has gone is no error of the handler's
	w.ended = true
}

// release sends what is held.
func (w *response) release(end bool) error {
	held := w.held
	w.held = nil
	if len(held) == 0 && !end && w.begun {
		return w.gone()
	}
	err := w.send(held, end)
	if held != nil {
		helds.Put(&held)
	}
	return err
}

// send sends the header, where it has not been, and p.
func (w *response) send(p []byte, end bool) error {
	c, st := w.st.conn, w.st
	c.mu.Lock()
	defer c.mu.Unlock()
	trailer := w.trailer(end)
	last := end && trailer == nil
	if !w.begun {
		if err := st.writable(); err != nil {
			return err
		}
		w.begun = true
		w.complete(p, end)
		whole := last && len(p) == 0 || w.head || !bodyAllowed(w.status)
		c.headers(st, w.status, w.frozen, whole)
		w.frozen = nil
		if whole {
			c.flush(st)
			return nil
		}
	}
	if w.head || !bodyAllowed(w.status) {
		return nil // all is said
	}
	if len(p) == 0 && !last {
		c.flush(st)
	} else if err := st.send(p, last); err != nil {
		return err
	}
	if trailer != nil {
		if err := st.writable(); err != nil {
			return err
		}
		c.headers(st, 0, trailer, true)
		c.flush(st)
	}
	return nil
}

// gone says why nothing more can be sent.
func (w *response) gone() error {
	w.st.conn.mu.Lock()
	defer w.st.conn.mu.Unlock()
	if w.st.err != nil {
		return w.st.err
	}
	return nil
}

// SetReadDeadline bounds the reading of the request's body.
func (w *response) SetReadDeadline(t time.Time) error {
	c := w.st.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	w.st.readBy = t
	w.st.wake.Broadcast()
	return nil
}

// SetWriteDeadline bounds the writing of the answer: a stream that cannot be written by then is reset.
func (w *response) SetWriteDeadline(t time.Time) error {
	c := w.st.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	w.st.writeBy = t
	if t.IsZero() {
		return nil // whoever waits may go on doing so
	}
	if c.alone == w.st && late(t) {
		c.fail(errSlow) // it waits for the socket, and nobody else can have that
	}
	w.st.wake.Broadcast()
	return nil
}

// EnableFullDuplex says what is so in HTTP/2 anyway.
func (w *response) EnableFullDuplex() error { return nil }

// bodyAllowed says whether an answer of this status has one.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
