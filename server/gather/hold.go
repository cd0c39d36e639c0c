package gather

import (
	"errors"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Hold has what is written kept until Release, however much it is. It is false while something waits for the client
// already, and where writing always waits.
func (c *Conn) Hold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.due || c.writing || c.held || c.err != nil {
		return false
	}
	if c.now == nil {
		if c.now = newNowWriter(c.Conn); c.now == nil {
			return false
		}
	}
	if !c.deadline.IsZero() { // of what was written before
		c.deadline = time.Time{}
		if c.Conn.SetWriteDeadline(c.deadline) != nil {
			return false
		}
	}
	c.held = true
	return true
}

// Release writes what was kept, in one piece, as far as the client takes it at once. The rest is written as ever, and
// nobody waits; the client has some time for that.
func (c *Conn) Release(patience time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.pending
	c.pending, c.held, c.writing = nil, false, true
	c.mu.Unlock()
	n, err := c.now.write(out)
	c.mu.Lock()
	c.writing = false
	if c.err == nil {
		c.err = err
	}
	more := c.pending // has been written meanwhile
	switch {
	case c.err != nil:
	case n < len(out):
		c.pending = append(append(out[:0], out[n:]...), more...)
	default:
		rooms.Put(&out)
	}
	if len(c.pending) > 0 && c.err == nil {
		c.due = true
		c.deadline = time.Now().Add(patience)
		c.err = c.Conn.SetWriteDeadline(c.deadline)
		go c.drain()
	}
	c.changed.Broadcast()
	return c.err
}

// nowWriter writes to a socket what it takes without waiting.
type nowWriter struct {
	raw   syscall.RawConn
	try   func(fd uintptr) bool
	piece []byte
	n     int
	err   error
}

// newNowWriter is nil where the connection is no socket.
func newNowWriter(c net.Conn) *nowWriter {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	w := &nowWriter{raw: raw}
	w.try = func(fd uintptr) bool { // made once: it would be on the heap each time
		w.n, w.err = unix.Write(int(fd), w.piece)
		return true
	}
	return w
}

// write gives how much the socket took: less than all of it when it is full.
func (w *nowWriter) write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	w.piece = p
	if err := w.raw.Write(w.try); err != nil {
		return 0, err
	}
	w.piece = nil
	if errors.Is(w.err, unix.EAGAIN) || errors.Is(w.err, unix.EINTR) {
		return 0, nil
	}
	return max(w.n, 0), w.err
}
