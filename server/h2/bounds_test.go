package h2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// TestUncalm: clients that ask for work and want nothing of it lose their connection.
func TestUncalm(t *testing.T) {
	few := func(l *limits) { l.calm, l.calmBurst = 1, 50 }
	for _, test := range []struct {
		name string
		do   func(p *peer, i uint32) error
	}{
		{"pings", func(p *peer, _ uint32) error { return p.WritePing(false, [8]byte{}) }},
		{"settings", func(p *peer, _ uint32) error { return p.WriteSettings() }},
		{"priorities", func(p *peer, _ uint32) error { return p.WritePriority(1, http2.PriorityParam{StreamDep: 3}) }},
		{"frames of no kind", func(p *peer, _ uint32) error { return p.WriteRawFrame(0xfe, 0, 0, nil) }},
		{"resets of what has just begun", func(p *peer, i uint32) error {
			return errors.Join(p.ask(2*i+1, "GET", "/", true), p.WriteRSTStream(2*i+1, http2.ErrCodeCancel))
		}},
		{"malformed requests", func(p *peer, i uint32) error { return p.ask(2*i+1, "GET", "no path", true) }},
		{"bodies of nothing", func(p *peer, i uint32) error {
			if i == 0 {
				return p.ask(1, "POST", "/", false)
			}
			return p.WriteData(1, false, nil)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, few)
			p := dial(t, s)
			go func() {
				for i := range uint32(1000) {
					if test.do(p, i) != nil {
						return // it has been sent away
					}
				}
			}()
			if code, err := p.fate(); code != http2.ErrCodeEnhanceYourCalm || err != nil {
				t.Errorf("the connection ended with %v, %v", code, err)
			}
		})
	}
}

// TestStreamsAtOnce: more than are allowed are refused, and may be asked for again.
func TestStreamsAtOnce(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(l *limits) { l.streams = 3 })
	p := dial(t, s)
	for i := range uint32(4) {
		p.must(p.ask(2*i+1, "GET", "/", true))
	}
	p.await("the fourth is refused", func(f http2.Frame) bool {
		r, ok := f.(*http2.RSTStreamFrame)
		return ok && r.StreamID == 7 && r.ErrCode == http2.ErrCodeRefusedStream
	})
}

// TestHandlersAtOnce: streams that a client has reset count as long as their handlers run.
func TestHandlersAtOnce(t *testing.T) {
	var running atomic.Int32
	stop := make(chan struct{})
	s := serve(t, func(http.ResponseWriter, *http.Request) { running.Add(1); <-stop }, func(l *limits) { l.streams = 3 })
	defer close(stop)
	p := dial(t, s)
	for i := range uint32(20) {
		p.must(p.ask(2*i+1, "GET", "/", true))
		p.must(p.WriteRSTStream(2*i+1, http2.ErrCodeCancel))
	}
	p.must(p.WritePing(false, [8]byte{1}))
	p.await("all are judged", func(f http2.Frame) bool { _, ok := f.(*http2.PingFrame); return ok })
	if n := running.Load(); n > 6 {
		t.Errorf("%d handlers run", n)
	}
}

// TestLargeHeader: it is refused, and costs no connection.
func TestLargeHeader(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {}, nil)
	client := s.Client()
	for _, size := range []int{1000, 60_000, 70_000} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Large", strings.Repeat("x", size))
		resp, err := client.Do(r)
		if size > 64<<10 && err != nil {
			continue // its own transport knows the bound
		}
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%d bytes: %s", size, resp.Status)
		}
	}
	p := dial(t, s)
	p.ReadMetaHeaders = hpack.NewDecoder(headerTable, nil)
	large := strings.Repeat("x", 3900) // is remembered: then it is large again for one byte
	var fields []string
	for range 20 {
		fields = append(fields, "large", large)
	}
	p.must(p.ask(1, "GET", "/", true, fields...))
	p.await("431", func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		return ok && h.PseudoValue("status") == "431"
	})
}

// TestWhoDoesNotRead: whoever asks without reading makes nobody keep more than the bound, and is sent away.
func TestWhoDoesNotRead(t *testing.T) {
	piece := bytes.Repeat([]byte("x"), 64<<10)
	ended := make(chan error, 1)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(piece); err != nil {
				ended <- err
				return
			}
		}
	}, func(l *limits) { l.writing = 100 * time.Millisecond })
	p := dial(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	p.must(p.WriteWindowUpdate(0, 1<<31-1-defaultSize))
	p.must(p.ask(1, "GET", "/", true))
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it was written")
		}
	case <-time.After(20 * time.Second):
		t.Error("it is waited for")
	}
}

// TestWriteDeadline: a stream whose window stays shut is reset in time; the connection goes on.
func TestWriteDeadline(t *testing.T) {
	ended := make(chan error, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/stuck" {
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := w.Write(make([]byte, 100_000))
		ended <- err
	}, nil)
	p := dial(t, s)
	p.must(p.ask(1, "GET", "/stuck", true))
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("writing ended with %v", err)
	}
	p.await("it is reset", func(f http2.Frame) bool {
		r, ok := f.(*http2.RSTStreamFrame)
		return ok && r.StreamID == 1 && r.ErrCode == http2.ErrCodeInternal
	})
	p.must(p.ask(3, "GET", "/", true))
	p.await("the connection goes on", func(f http2.Frame) bool {
		return f.Header().Type == http2.FrameHeaders && f.Header().StreamID == 3
	})
}

// TestReadDeadline: a body that does not come is not waited for, and the answer tells so.
func TestReadDeadline(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := io.ReadAll(r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}, nil)
	body, never := io.Pipe()
	defer never.Close()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Error(resp.Status)
	}
}

// TestBodiesAreBounded: what a handler does not read is not taken.
func TestBodiesAreBounded(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, nil)
	p := dial(t, s)
	p.must(p.ask(1, "POST", "/", false))
	go func() {
		for range 2 * receiveConn / frameMost {
			if p.WriteData(1, false, make([]byte, frameMost)) != nil {
				return
			}
		}
	}()
	if code, err := p.fate(); code != http2.ErrCodeFlowControl || err != nil {
		t.Errorf("the connection ended with %v, %v", code, err)
	}
}

// TestSilence: connections on which nothing is asked end, and those that never begin.
func TestSilence(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {}, func(l *limits) { l.idle, l.greeting = 50*time.Millisecond, 50*time.Millisecond })
	p := dial(t, s)
	if code, err := p.fate(); code != http2.ErrCodeNo || err != nil {
		t.Errorf("the connection ended with %v, %v", code, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	mute := mute(ctx, t, s)
	if _, err := io.Copy(io.Discard, mute); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("who says nothing stays")
	}
}
