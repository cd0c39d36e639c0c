package nodeapi

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
)

// lifetime ties a context to the connection that a request is upgraded to: net/http stops watching a connection once
// it is handed over, so without this a session would outlive a client that went away without a word.
//
// It has no Unwrap: what upgrades the connection must come through here.
type lifetime struct {
	http.ResponseWriter
	end context.CancelFunc
}

// bound gives w and r with a context that ends when the connection that they are upgraded to does.
func bound(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request, context.CancelFunc) {
	ctx, end := context.WithCancel(r.Context())
	return &lifetime{ResponseWriter: w, end: end}, r.WithContext(ctx), end
}

// Hijack hands the connection over, watched.
func (l *lifetime) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hijacker, ok := l.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("the connection cannot be upgraded")
	}
	conn, rw, err := hijacker.Hijack()
	if err != nil {
		return nil, nil, err
	}
	watched := &watchedConn{Conn: conn, end: l.end}
	// What the client sent along with its request is in rw's reader already, so it must stay in front.
	return watched, bufio.NewReadWriter(bufio.NewReader(&prefixed{buffered: rw.Reader, conn: watched}), bufio.NewWriter(watched)), nil
}

// Flush passes on what is written so far.
func (l *lifetime) Flush() {
	if f, ok := l.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// prefixed reads what is buffered first, and then from the connection.
type prefixed struct {
	buffered *bufio.Reader
	conn     net.Conn
}

func (p *prefixed) Read(b []byte) (int, error) {
	if n := p.buffered.Buffered(); n > 0 {
		return p.buffered.Read(b[:min(n, len(b))])
	}
	return p.conn.Read(b)
}

// watchedConn calls end once, when reading fails or it is closed. Every protocol here always has a reader.
type watchedConn struct {
	net.Conn
	once sync.Once
	end  func()
}

func (c *watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.once.Do(c.end)
	}
	return n, err
}

func (c *watchedConn) Close() error {
	c.once.Do(c.end)
	return c.Conn.Close()
}
