package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"leme/nodeagent/pod"
)

// Attach connects streams to a container's main process until that ends or ctx does. The process is not disturbed by
// the end of a session, unless its spec has stdinOnce: its one session begins with the container's first output. A
// container that does not run is an error.
func (r *Runtime) Attach(ctx context.Context, id string, s pod.Streams) error {
	var first *firstWords
	if s.Stdin != nil {
		first = r.takeFirstWords(id)
	}
	session, err := r.openAttach(ctx, id, &s, first)
	if err != nil {
		if first != nil {
			first.Close()
		}
		return fmt.Errorf("attaching: %w", err)
	}
	resize := func(ctx context.Context, size pod.TerminalSize) error {
		_, err := r.engine.ContainerResize(ctx, id, client.ContainerResizeOptions{Height: uint(size.Height), Width: uint(size.Width)})
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if first != nil {
		context.AfterFunc(ctx, first.Close)
		session.Reader = bufio.NewReader(first)
	} else {
		output := &lastWords{from: session.Reader, conn: session.Conn}
		session.Reader = bufio.NewReader(output)
		go r.whenEnded(ctx, id, output.end)
	}
	if err := r.pump(ctx, session, s, resize); err != nil && ctx.Err() == nil {
		return fmt.Errorf("copying the streams of attach: %w", err)
	}
	return ctx.Err()
}

// openAttach begins a session with the engine; one that has the first words needs no output of it.
func (r *Runtime) openAttach(ctx context.Context, id string, s *pod.Streams, first *firstWords) (client.HijackedResponse, error) {
	found, err := r.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return client.HijackedResponse{}, err
	}
	if c := observed(found.Container); c.State != pod.Running {
		return client.HijackedResponse{}, fmt.Errorf("container %s is not running", c.Name)
	}
	s.TTY = found.Container.Config.Tty // made with one or without: the client's wish cannot change that
	attached, err := r.engine.ContainerAttach(ctx, id, client.ContainerAttachOptions{
		Stream: true,
		Stdin:  s.Stdin != nil,
		Stdout: s.Stdout != nil && first == nil,
		Stderr: s.Stderr != nil && first == nil,
	})
	return attached.HijackedResponse, err
}

// whenEnded calls fn once the container has ended or is gone, unless ctx ends first.
func (r *Runtime) whenEnded(ctx context.Context, id string, fn func()) {
	wait := r.engine.ContainerWait(ctx, id, client.ContainerWaitOptions{})
	select {
	case <-wait.Result:
		fn()
	case err := <-wait.Error:
		if errdefs.IsNotFound(err) {
			fn()
		}
	}
}

// lastWordsWait is how long the engine may be silent on a session whose container has ended.
const lastWordsWait = time.Second

// lastWords reads what an attached container writes. The engine closes the session behind a container's last output,
// but one that began while the container ended it keeps open for good: silence after the end is the end then.
type lastWords struct {
	from  io.Reader
	conn  net.Conn
	ended atomic.Bool
}

// end says that the container has ended.
func (w *lastWords) end() {
	w.ended.Store(true)
	w.bound()
}

// bound makes a Read that gets nothing end; where the connection knows no deadlines it goes on as it was.
func (w *lastWords) bound() { _ = w.conn.SetReadDeadline(time.Now().Add(lastWordsWait)) }

func (w *lastWords) Read(p []byte) (int, error) {
	if w.ended.Load() {
		w.bound()
	}
	n, err := w.from.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = io.EOF
	}
	return n, err
}
