package docker

import (
	"context"
	"io"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"leme/nodeagent/pod"
)

// pump copies between a session with the engine and our streams until the engine ends it or ctx ends, and closes the
// session. The reader of standard input may stay blocked in its Read until its owner closes it.
func (r *Runtime) pump(ctx context.Context, session client.HijackedResponse, s pod.Streams, resize func(context.Context, pod.TerminalSize) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		<-ctx.Done()
		session.Close() // ends the copies below
	}()
	defer func() { cancel(); <-closed }()

	if s.Stdin != nil {
		go func() {
			io.Copy(session.Conn, s.Stdin) //nolint:errcheck // its end, however it came, is the end of the input
			session.CloseWrite()           //nolint:errcheck // the session may be gone already
		}()
	}
	if s.Resize != nil {
		go r.resizes(ctx, s.Resize, resize)
	}
	return copyOutput(session.Reader, s)
}

// copyOutput takes the streams apart: with a terminal there is one, without one the engine interleaves two.
func copyOutput(from io.Reader, s pod.Streams) error {
	stdout, stderr := orDiscard(s.Stdout), orDiscard(s.Stderr)
	var err error
	if s.TTY {
		_, err = io.Copy(stdout, from)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, from)
	}
	return err
}

func orDiscard(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

func (r *Runtime) resizes(ctx context.Context, sizes <-chan pod.TerminalSize, resize func(context.Context, pod.TerminalSize) error) {
	for {
		select {
		case size, ok := <-sizes:
			if !ok {
				return
			}
			if size.Width == 0 || size.Height == 0 {
				continue
			}
			if err := resize(ctx, size); err != nil && ctx.Err() == nil {
				r.Logger.Debug("resizing a terminal", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
