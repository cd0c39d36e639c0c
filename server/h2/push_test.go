package h2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/sync/errgroup"
)

var errOver = errors.New("there is no more")

// chronicle is lines that many streams send as they are written.
type chronicle struct {
	topic Topic
	mu    sync.Mutex
	lines [][]byte
	over  bool
}

func (c *chronicle) write(line []byte) {
	c.mu.Lock()
	c.lines = append(c.lines, line)
	c.mu.Unlock()
	c.topic.Publish()
}

func (c *chronicle) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.topic.Publish()
}

func (c *chronicle) text() []byte { return bytes.Join(c.lines, nil) }

// reading is one stream's place in a chronicle. It gives few lines at a time.
type reading struct {
	*chronicle
	next int
}

func (r *reading) Append(dst []byte) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := 0; n < 3 && r.next < len(r.lines); n++ {
		dst = append(dst, r.lines[r.next]...)
		r.next++
	}
	if r.over && r.next == len(r.lines) {
		return dst, errOver
	}
	return dst, nil
}

// pusher is what handlers see of a response.
type pusher interface {
	Push(ctx context.Context, t *Topic, s Source) (unsent []byte, err error)
}

// follow pushes a chronicle to its end, as the handlers of watches do.
func (c *chronicle) follow(w http.ResponseWriter, r *http.Request, patience time.Duration) error {
	control, from := http.NewResponseController(w), &reading{chronicle: c}
	for {
		unsent, err := w.(pusher).Push(r.Context(), &c.topic, from)
		if len(unsent) > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(patience))
			if _, err := w.Write(unsent); err != nil {
				return err
			}
			if err := control.Flush(); err != nil {
				return err
			}
			_ = control.SetWriteDeadline(time.Time{})
		}
		if err != nil {
			return err
		}
	}
}

// TestPush: whatever the windows, every stream of every connection gets all that is written, once and in order.
func TestPush(t *testing.T) {
	c := &chronicle{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if err := c.follow(w, r, time.Minute); !errors.Is(err, errOver) {
			t.Errorf("pushing ended with %v", err)
		}
	}, nil)
	const streams = 20
	heard := make([]map[uint32]*bytes.Buffer, 4)
	var group errgroup.Group
	for i := range heard {
		heard[i] = map[uint32]*bytes.Buffer{}
		p := dial(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(1 << (5 * i))})
		group.Go(func() error { return p.hear(streams, heard[i], int64(i)) })
	}
	random := rand.New(rand.NewPCG(1, 4))
	for i := range 200 {
		size := random.IntN(200)
		if i == 100 {
			size = 2 * pieceMost // more than is pushed at once
		}
		c.write(fmt.Appendf(nil, "%d %s\n", i, strings.Repeat("x", size)))
	}
	c.end()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range heard {
		for id, got := range heard[i] {
			if !bytes.Equal(got.Bytes(), c.text()) {
				t.Fatalf("connection %d, stream %d: %d bytes came of %d, or others", i, id, got.Len(), len(c.text()))
			}
		}
	}
	if len(c.topic.groups) != 0 {
		t.Errorf("%d connections still follow", len(c.topic.groups))
	}
}

// hear reads streams to their ends, and opens its windows as it does.
func (p *peer) hear(streams int, heard map[uint32]*bytes.Buffer, seed int64) error {
	random := rand.New(rand.NewPCG(uint64(seed), 5))
	for i := range streams {
		id := uint32(2*i + 1)
		heard[id] = &bytes.Buffer{}
		if err := p.ask(id, "GET", "/", true); err != nil {
			return err
		}
	}
	for ended := 0; ended < streams; {
		f, err := p.ReadFrame()
		if err != nil {
			return err
		}
		switch f := f.(type) {
		case *http2.RSTStreamFrame:
			return fmt.Errorf("stream %d was reset: %s", f.StreamID, f.ErrCode)
		case *http2.DataFrame:
			heard[f.StreamID].Write(f.Data())
			if f.StreamEnded() {
				ended++
				continue
			}
			if n := f.Length; n > 0 {
				more := n + uint32(random.IntN(40_000))
				if err := errors.Join(p.WriteWindowUpdate(0, n), p.WriteWindowUpdate(f.StreamID, more)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// TestPushWaitsForNobody: a client that reads nothing keeps no other from what is pushed, and is sent away.
func TestPushWaitsForNobody(t *testing.T) {
	c := &chronicle{}
	slow := make(chan error, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			slow <- c.follow(w, r, 100*time.Millisecond)
			return
		}
		if err := c.follow(w, r, time.Minute); !errors.Is(err, errOver) {
			t.Errorf("pushing ended with %v", err)
		}
	}, nil)
	p := dial(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
	p.must(p.WriteWindowUpdate(0, 1<<30))
	p.must(p.ask(1, "GET", "/slow", true))
	p.await("the beginning", func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders })

	resp, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	line := append(bytes.Repeat([]byte("x"), 60<<10), '\n')
	got := make([]byte, len(line))
	for sent := 0; ; sent++ {
		c.write(line)
		if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, line) {
			t.Fatalf("after %d lines: %v", sent, err)
		}
		select {
		case err := <-slow:
			if errors.Is(err, errOver) || err == nil {
				t.Errorf("the slow client's stream ended with %v", err)
			}
			c.end()
			if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
				t.Errorf("%d bytes too many came, %v", len(rest), err)
			}
			return
		default:
		}
	}
}

// sourceOf makes a source of a function.
type sourceOf func(dst []byte) ([]byte, error)

func (f sourceOf) Append(dst []byte) ([]byte, error) { return f(dst) }

// TestPushEnds: pushing ends with whatever ends it, and the source is not asked any more.
func TestPushEnds(t *testing.T) {
	nothing := func(dst []byte) ([]byte, error) { return dst, nil }
	for _, test := range []struct {
		name, method string
		source       sourceOf
		do           func(p *peer, cancel func())
		unsent       string
		err          error
	}{
		{name: "its context", source: nothing, do: func(_ *peer, cancel func()) { cancel() }, err: context.Canceled},
		{name: "the client's reset", source: nothing, do: func(p *peer, _ func()) { p.must(p.WriteRSTStream(1, http2.ErrCodeCancel)) }, err: errGone},
		{name: "the client's end", source: nothing, do: func(p *peer, _ func()) { p.conn.Close() }, err: errGone},
		{name: "an error of the source", source: func(dst []byte) ([]byte, error) { return append(dst, "last"...), errOver }, unsent: "last", err: errOver},
		{name: "too much at once", source: func(dst []byte) ([]byte, error) { return append(dst, make([]byte, 2*pieceMost)...), nil }, unsent: strings.Repeat("\x00", 2*pieceMost)},
		{name: "no body", method: "HEAD", source: nothing, err: http.ErrNotSupported},
	} {
		t.Run(test.name, func(t *testing.T) {
			type end struct {
				unsent []byte
				err    error
			}
			var topic Topic
			started, ended := make(chan context.CancelFunc, 1), make(chan end, 1)
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusOK)
				ctx, cancel := context.WithCancel(r.Context())
				defer cancel()
				started <- cancel
				unsent, err := w.(pusher).Push(ctx, &topic, test.source)
				ended <- end{unsent, err}
			}, nil)
			p := dial(t, s)
			if test.method == "" {
				test.method = "GET"
			}
			p.must(p.ask(1, test.method, "/", true))
			cancel := <-started
			if test.do != nil {
				p.await("the beginning", func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders })
				test.do(p, cancel)
			}
			got := <-ended
			if string(got.unsent) != test.unsent || !errors.Is(got.err, test.err) {
				t.Errorf("it ended with %d bytes, %v", len(got.unsent), got.err)
			}
			if len(topic.groups) != 0 {
				t.Error("the connection still follows")
			}
		})
	}
}

// TestPushPanics: a source that panics is its own request's trouble.
func TestPushPanics(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			_, _ = w.(pusher).Push(r.Context(), &Topic{}, sourceOf(func([]byte) ([]byte, error) { panic("oh") }))
		}
	}, nil)
	if resp, err := s.Client().Get(s.URL + "/panic"); err == nil {
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Error("the answer is whole")
		}
	}
	resp, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// TestPushWakesNobody: what the client takes at once is sent without the handlers.
func TestPushWakesNobody(t *testing.T) {
	c := &chronicle{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		unsent, err := w.(pusher).Push(r.Context(), &c.topic, &reading{chronicle: c})
		if len(unsent) > 0 || !errors.Is(err, errOver) {
			t.Errorf("the handler was woken for %d bytes, %v", len(unsent), err)
		}
	}, nil)
	resp, err := s.Client().Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got := make([]byte, 4000)
	for i := range 1000 {
		line := bytes.Repeat([]byte{byte(i)}, len(got))
		c.write(line)
		if _, err := io.ReadFull(resp.Body, got); err != nil || !bytes.Equal(got, line) {
			t.Fatalf("line %d: %v", i, err)
		}
	}
	c.end()
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Error(err)
	}
}
