package h2

import (
	"context"
	"crypto/tls"
	"log"
	"net/http"
	"sync"
)

// protocol is HTTP/2's name in TLS's negotiation.
const protocol = "h2"

// server is what the connections of one http.Server share.
type server struct {
	http   *http.Server
	limits limits

	mu       sync.Mutex
	conns    map[*conn]struct{}
	draining bool
}

// Configure has s serve HTTP/2 by this package. MaxHeaderBytes, IdleTimeout, ReadHeaderTimeout, ErrorLog and
// HTTP2.MaxConcurrentStreams of s hold here too, and Shutdown ends connections once their requests have ended.
func Configure(s *http.Server) { configure(s, newLimits(s)) }

func configure(s *http.Server, l limits) {
	all := &server{http: s, limits: l, conns: map[*conn]struct{}{}}
	if s.TLSNextProto == nil {
		s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	s.TLSNextProto[protocol] = func(_ *http.Server, t *tls.Conn, h http.Handler) { all.serve(t, h) }
	s.RegisterOnShutdown(all.drain)
}

// serve serves a connection until it ends. net/http closes it then.
func (s *server) serve(t *tls.Conn, h http.Handler) {
	ctx := context.Background()
	if based, ok := h.(interface{ BaseContext() context.Context }); ok { // how net/http hands over its own
		ctx = based.BaseContext()
	}
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, t.LocalAddr())
	ctx, cancel := context.WithCancel(context.WithValue(ctx, http.ServerContextKey, s.http))
	defer cancel()
	c := newConn(ctx, s, t, h)
	if s.add(c) {
		c.drain()
	}
	defer s.remove(c)
	c.serve()
}

// add takes a connection in, and tells whether it is to end with its requests.
func (s *server) add(c *conn) (draining bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	return s.draining
}

func (s *server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// drain ends every connection once its requests have ended.
func (s *server) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for c := range s.conns {
		c.drain()
	}
}

func (s *server) logf(format string, args ...any) {
	if s.http.ErrorLog != nil {
		s.http.ErrorLog.Printf(format, args...)
		return
	}
	log.Printf(format, args...)
}
