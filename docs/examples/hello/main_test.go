package main

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	var logged strings.Builder
	s := server{pod: "hello-1", log: slog.New(slog.NewTextHandler(&logged, nil))}
	for _, c := range []struct {
		path   string
		stop   bool
		status int
		body   string
	}{
		{"/some/where", false, 200, "Hello from hello-1"},
		{"/some/where", false, 200, `path: "/some/where"`},
		{"/healthz", false, 200, "ok"},
		{"/healthz", true, 503, "stopping"},
	} {
		s.stopping.Store(c.stop)
		w := httptest.NewRecorder()
		s.routes().ServeHTTP(w, httptest.NewRequest("GET", c.path, nil))
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s: %d %q, want %d with %q", c.path, w.Code, w.Body, c.status, c.body)
		}
	}
	if !strings.Contains(logged.String(), "path=/some/where") {
		t.Errorf("the log has %q", &logged)
	}
}

func TestRunEndsInOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, slog.New(slog.NewTextHandler(io.Discard, nil)), "127.0.0.1:0"); err != nil {
		t.Error(err)
	}
	if err := run(t.Context(), slog.New(slog.NewTextHandler(io.Discard, nil)), "127.0.0.1:-1"); err == nil {
		t.Error("an impossible address is no error")
	}
}
