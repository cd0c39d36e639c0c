package h2

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/time/rate"
)

// conn is one client's connection. What is looked at for every event stands first, and together: with thousands of
// connections none of it is in the processor's cache.
type conn struct {
	mu  sync.Mutex
	err error // why nothing more can be read or written
	outgoing
	tls     *tls.Conn
	holder  holder // below tls; nil: it cannot
	limits  *limits
	streams map[uint32]*stream
	closing

	frames  *http2.Framer // reads from tls, for the reader alone; writes to out, under mu
	calm    *rate.Limiter // the reader's
	server  *server
	state   *tls.ConnectionState
	remote  string
	handler http.Handler
	base    context.Context // of requests

	running int    // handlers, also of streams that have ended
	last    uint32 // the highest stream there has been
	ended   recent
	receive inflow
	header  headerEncoder
}

func newConn(base context.Context, s *server, t *tls.Conn, h http.Handler) *conn {
	state := t.ConnectionState()
	c := &conn{
		server: s, limits: &s.limits, tls: t, state: &state, remote: t.RemoteAddr().String(), handler: h, base: base,
		calm:    rate.NewLimiter(s.limits.calm, s.limits.calmBurst),
		streams: map[uint32]*stream{},
		receive: inflow{open: defaultSize},
	}
	c.holder, _ = t.NetConn().(holder)
	c.outgoing = outgoing{window: defaultSize, first: defaultSize, frame: frameMost}
	c.header.init()
	c.frames = http2.NewFramer(&c.out, t)
	c.frames.SetReuseFrames()
	c.frames.SetMaxReadFrameSize(frameMost)
	c.frames.MaxHeaderListSize = s.limits.header
	c.frames.ReadMetaHeaders = hpack.NewDecoder(headerTable, nil)
	return c
}

// serve reads until the connection ends.
func (c *conn) serve() {
	defer c.end()
	err := c.greet()
	for err == nil {
		var f http2.Frame
		if f, err = c.frames.ReadFrame(); err == nil {
			err = c.process(f)
		}
		if failed := (http2.StreamError{}); errors.As(err, &failed) {
			err = c.refuse(failed.StreamID, failed.Code)
		}
	}
	c.goAway(err)
}

// greet exchanges what both sides begin with.
func (c *conn) greet() error {
	c.mu.Lock()
	c.say(c.frames.WriteSettings(
		http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(c.limits.streams)},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: receiveOne},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: c.limits.header},
	))
	c.sayWindow(0, c.receive.give(receiveConn-defaultSize))
	c.mu.Unlock()
	if err := c.tls.SetReadDeadline(time.Now().Add(c.limits.greeting)); err != nil {
		return err
	}
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.tls, preface); err != nil {
		return err
	}
	if !bytes.Equal(preface, []byte(http2.ClientPreface)) {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	f, err := c.frames.ReadFrame()
	if err != nil {
		return err
	}
	settings, ok := f.(*http2.SettingsFrame)
	if !ok || settings.IsAck() {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	if err := c.tls.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	c.mu.Lock()
	c.rest()
	c.mu.Unlock()
	return c.process(settings)
}

// fail ends the connection and everything on it, at once. c.mu is held.
func (c *conn) fail(err error) {
	if c.err != nil {
		return
	}
	c.err = fmt.Errorf("h2: the connection has ended: %w", err)
	for _, st := range c.streams {
		c.drop(st, c.err)
	}
	_ = c.tls.NetConn().Close() // the reader and the writer see it
}

// end leaves nothing behind but handlers that have not noticed yet.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopTimers()
	for _, st := range c.streams {
		c.drop(st, cmp.Or(c.err, errGone))
	}
	if c.err == nil {
		c.err = errGone
	}
}
