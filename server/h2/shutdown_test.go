package h2

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// TestShutdown: requests that there are end as they would have, also those that were on their way; then the connection
// ends.
func TestShutdown(t *testing.T) {
	begun, finish := make(chan struct{}, 2), make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-finish
		_, _ = io.WriteString(w, "whole")
	}, nil)
	p := dial(t, s)
	p.must(p.ask(1, "GET", "/", true))
	<-begun
	down := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		down <- s.Config.Shutdown(ctx)
	}()
	p.await("the news", func(f http2.Frame) bool {
		g, ok := f.(*http2.GoAwayFrame)
		return ok && g.LastStreamID > 3 && g.ErrCode == http2.ErrCodeNo
	})
	p.must(p.ask(3, "GET", "/", true)) // it was on its way
	<-begun
	p.await("the farewell", func(f http2.Frame) bool {
		g, ok := f.(*http2.PingFrame)
		if ok {
			p.must(p.WritePing(true, g.Data))
		}
		return ok
	})
	p.await("the last stream", func(f http2.Frame) bool {
		g, ok := f.(*http2.GoAwayFrame)
		return ok && g.LastStreamID == 3
	})
	close(finish)
	for answers := 0; answers < 2; {
		p.await("the answers", func(f http2.Frame) bool {
			d, ok := f.(*http2.DataFrame)
			if ok && string(d.Data()) == "whole" {
				answers++
			}
			return ok
		})
	}
	if _, err := p.fate(); err != nil {
		t.Errorf("the connection stays: %v", err)
	}
	if err := <-down; err != nil {
		t.Errorf("shutting down: %v", err)
	}
}

// TestShutdownOfWhoDoesNotAnswer does not wait for a farewell for ever.
func TestShutdownOfWhoDoesNotAnswer(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	p := dial(t, s)
	p.must(p.ask(1, "GET", "/", true))
	p.await("an answer", func(f http2.Frame) bool { return f.Header().StreamID == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Config.Shutdown(ctx); err != nil {
		t.Errorf("shutting down: %v", err)
	}
}
