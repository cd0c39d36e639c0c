package h2

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/sync/errgroup"
)

// TestWholeAndInOrder has many streams of one connection say and hear random amounts in random pieces at the same
// time: each gets all of its own, in order.
func TestWholeAndInOrder(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seed, _ := strconv.ParseUint(r.URL.Query().Get("seed"), 10, 64)
		random := rand.New(rand.NewPCG(seed, 1))
		buf := make([]byte, 1+random.IntN(100_000))
		for {
			n, err := r.Body.Read(buf[:1+random.IntN(len(buf))])
			if _, err := w.Write(buf[:n]); err != nil {
				t.Error(err)
			}
			if random.IntN(4) == 0 {
				w.(http.Flusher).Flush()
			}
			if err != nil {
				return
			}
		}
	}, nil)
	var group errgroup.Group
	for seed := range uint64(200) {
		group.Go(func() error {
			random := rand.New(rand.NewPCG(seed, 2))
			sent := make([]byte, random.IntN(1<<random.IntN(22)))
			for i := range sent {
				sent[i] = byte(random.Uint32())
			}
			r, err := http.NewRequestWithContext(t.Context(), "POST", fmt.Sprintf("%s/?seed=%d", s.URL, seed), bytes.NewReader(sent))
			if err != nil {
				return err
			}
			resp, err := s.Client().Do(r)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if err != nil || !bytes.Equal(got, sent) {
				return fmt.Errorf("%d: %d of %d bytes came back, %w", seed, len(got), len(sent), err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// TestWindows has a client that opens its windows by little and little: nothing beyond them comes, and in the end all.
func TestWindows(t *testing.T) {
	const size, streams = 3000, 20
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	}, nil)
	p := dial(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	open := map[uint32]int{}
	for i := range uint32(streams) {
		p.must(p.ask(2*i+1, "GET", "/", true))
		open[2*i+1] = 10
	}
	whole, came := firstWindow, map[uint32]int{}
	random := rand.New(rand.NewPCG(1, 3))
	for ended := 0; ended < streams; {
		p.await("data", func(f http2.Frame) bool {
			d, ok := f.(*http2.DataFrame)
			if !ok {
				return false
			}
			n := len(d.Data())
			open[d.StreamID] -= n
			came[d.StreamID] += n
			if whole -= n; open[d.StreamID] < 0 || whole < 0 {
				t.Fatalf("stream %d has sent %d bytes too many, or the connection %d", d.StreamID, -open[d.StreamID], -whole)
			}
			if d.StreamEnded() {
				ended++
				if came[d.StreamID] != size {
					t.Errorf("stream %d ended after %d bytes", d.StreamID, came[d.StreamID])
				}
			} else {
				more := 1 + random.IntN(500)
				open[d.StreamID] += more
				p.must(p.WriteWindowUpdate(d.StreamID, uint32(more)))
			}
			return true
		})
	}
}

const firstWindow = defaultSize

// TestWordsBesideAStuckStream has a stream that waits for its window write what others say meanwhile.
func TestWordsBesideAStuckStream(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2*heldMost)) }, nil)
	p := dial(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1})
	for i := range uint32(1000) {
		p.must(p.ask(2*i+1, "GET", "/", true))
		said := [8]byte{byte(i >> 8), byte(i)}
		p.must(p.WritePing(false, said))
		p.await("the answer to a ping", func(f http2.Frame) bool {
			g, ok := f.(*http2.PingFrame)
			return ok && g.IsAck() && g.Data == said
		})
		p.must(p.WriteRSTStream(2*i+1, http2.ErrCodeCancel))
	}
}
