package h2

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"leme/server/gather"
)

// serve serves a handler until the test ends; change may change the bounds.
func serve(t testing.TB, h http.HandlerFunc, change func(*limits)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1000}
	s.Config.MaxHeaderBytes = 64 << 10
	s.Config.ErrorLog = log.New(testLog{t}, "", 0)
	l := newLimits(s.Config)
	if change != nil {
		change(&l)
	}
	configure(s.Config, l)
	s.Listener = gather.Listener(s.Listener)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

type testLog struct{ testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	if l.Context().Err() == nil {
		l.Logf("%s", p)
	}
	return len(p), nil
}

// peer is a client that may say anything.
type peer struct {
	*http2.Framer
	t    testing.TB
	conn *tls.Conn
	enc  headerEncoder
}

// dial begins a connection; settings are its first.
func dial(t testing.TB, s *httptest.Server, settings ...http2.Setting) *peer {
	t.Helper()
	raw, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: tls.Client(raw, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})}
	t.Cleanup(func() { p.conn.Close() })
	if err := p.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	p.Framer = http2.NewFramer(p.conn, p.conn)
	p.enc.init()
	_, err = p.conn.Write([]byte(http2.ClientPreface))
	p.must(err)
	p.must(p.WriteSettings(settings...))
	return p
}

func (p *peer) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// ask begins a request on a stream.
func (p *peer) ask(stream uint32, method, path string, end bool, fields ...string) error {
	p.enc.block.Reset()
	for _, f := range [][2]string{{":method", method}, {":scheme", "https"}, {":authority", "h2"}, {":path", path}} {
		p.enc.field(f[0], f[1])
	}
	for i := 0; i < len(fields); i += 2 {
		p.enc.field(fields[i], fields[i+1])
	}
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: p.enc.block.Bytes(), EndHeaders: true, EndStream: end})
}

// await reads until a frame is what is waited for.
func (p *peer) await(what string, is func(http2.Frame) bool) {
	p.t.Helper()
	for {
		f, err := p.ReadFrame()
		if err != nil {
			p.t.Fatalf("%s: %v", what, err)
		}
		if is(f) {
			return
		}
	}
}

// fate reads until the connection ends, and tells why it did.
func (p *peer) fate() (http2.ErrCode, error) {
	code := http2.ErrCode(1 << 31)
	for {
		f, err := p.ReadFrame()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return code, err
		}
		if err != nil {
			return code, nil
		}
		if g, ok := f.(*http2.GoAwayFrame); ok {
			code = g.ErrCode
		}
	}
}

// mute begins a connection and says nothing.
func mute(ctx context.Context, t testing.TB, s *httptest.Server) net.Conn {
	t.Helper()
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}
	conn, err := d.DialContext(ctx, "tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}
