package server

import (
	"log/slog"
	"net/http"
	"time"

	"leme/server/h2"
)

const (
	shutdownTimeout   = 5 * time.Second
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 3 * time.Minute
	maxHeader         = 64 << 10 // bytes
	maxStreams        = 1000     // of one HTTP/2 connection: an informer's watch is one
)

// newHTTPServer has no timeouts on whole requests: watches and uploads last. Handlers bound what must not.
func newHTTPServer(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		// Broken handshakes of whoever knocks are no news.
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	h2.Configure(s)
	return s
}
