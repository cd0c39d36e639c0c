package docker

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/moby/moby/client"
)

// firstWordsLimit bounds what is kept for the first session: a container that says more before anybody listens is no
// conversation, and its log has it all.
const firstWordsLimit = 64 << 10 // bytes

// firstWords is the output of a container from its first byte on, for the session that its standard input waits for
// (stdinOnce): whoever attaches to a container that runs already misses what it said until then, and would never know.
type firstWords struct {
	session client.HijackedResponse

	mu      sync.Mutex
	changed sync.Cond
	kept    []byte
	taken   bool // somebody reads
	ended   bool // nothing more comes
	lost    bool // more came than is kept
}

// listenFromTheStart attaches to a container that was not started yet.
func (r *Runtime) listenFromTheStart(ctx context.Context, id string) error {
	session, err := r.engine.ContainerAttach(ctx, id, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return fmt.Errorf("listening to the container: %w", err)
	}
	w := &firstWords{session: session.HijackedResponse}
	w.changed.L = &w.mu
	r.mu.Lock()
	before := r.firstWords[id]
	r.firstWords[id] = w
	r.mu.Unlock()
	if before != nil {
		before.Close()
	}
	go w.listen()
	return nil
}

// takeFirstWords gives the output of a container from its start to the one session that asks first; nil when there is
// none to give: another had it, it was too much, or the agent is younger than the container.
func (r *Runtime) takeFirstWords(id string) *firstWords {
	r.mu.Lock()
	w := r.firstWords[id]
	delete(r.firstWords, id)
	r.mu.Unlock()
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost {
		return nil
	}
	w.taken = true
	return w
}

// listen reads until the container ends, the session is closed, or too much was said.
func (w *firstWords) listen() {
	chunk := make([]byte, 4<<10)
	for {
		n, err := w.session.Reader.Read(chunk)
		if !w.keep(chunk[:n]) || err != nil {
			break
		}
	}
	w.Close()
}

// keep adds what was said. With a reader it waits for room; with none it gives up when there is too much.
func (w *firstWords) keep(said []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.kept)+len(said) > firstWordsLimit && !w.ended {
		if !w.taken {
			w.kept, w.lost = nil, true
			return false
		}
		w.changed.Wait()
	}
	w.kept = append(w.kept, said...)
	w.changed.Broadcast()
	return !w.ended
}

// Read gives what was said, in the order it was; io.EOF after the container's last word, or after Close.
func (w *firstWords) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.kept) == 0 && !w.ended {
		w.changed.Wait()
	}
	if len(w.kept) == 0 {
		return 0, io.EOF
	}
	n := copy(p, w.kept)
	w.kept = w.kept[:copy(w.kept, w.kept[n:])]
	w.changed.Broadcast()
	return n, nil
}

// Close ends the listening; what is kept can still be read.
func (w *firstWords) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.session.Close()
	w.changed.Broadcast()
}
