package nodeapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"

	"leme/nodeagent/pod"
)

// idleTimeout ends sessions on which nothing is sent, and creationTimeout those whose client does not open its
// streams: the kubelet's figures.
const (
	idleTimeout     = 4 * time.Hour
	creationTimeout = remotecommand.DefaultStreamCreationTimeout
)

// session runs one command or attachment over the given streams. A command's exit code other than 0 is an
// utilexec.CodeExitError.
type session func(ctx context.Context, s pod.Streams) error

func (s *Server) exec(w http.ResponseWriter, r *http.Request) {
	command := r.URL.Query()["command"]
	if len(command) == 0 {
		writeStatus(w, apierrors.NewBadRequest("you must specify at least 1 command for the container"))
		return
	}
	s.serveSession(w, r, serveClassicExec, "executing command in", func(id string) session {
		return func(ctx context.Context, streams pod.Streams) error {
			code, err := s.Runtime.ExecStream(ctx, id, command, streams)
			return exitError(code, err)
		}
	})
}

func (s *Server) attach(w http.ResponseWriter, r *http.Request) {
	s.serveSession(w, r, serveClassicAttach, "attaching to", func(id string) session {
		return func(ctx context.Context, streams pod.Streams) error {
			return s.Runtime.Attach(ctx, id, streams)
		}
	})
}

// run answers a command with its output once it has ended.
func (s *Server) run(w http.ResponseWriter, r *http.Request) {
	command := r.URL.Query()["cmd"]
	if len(command) == 0 {
		writeError(w, apierrors.NewBadRequest("cmd must be the command and its arguments"))
		return
	}
	id, _, err := s.container(r, false)
	if err != nil {
		writeError(w, err)
		return
	}
	output, code, err := s.Runtime.Exec(r.Context(), id, command)
	if err := exitError(code, err); err != nil {
		output = fmt.Append(output, err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write(output) //nolint:errcheck // a client that went away cannot be told
}

func exitError(code int, err error) error {
	if err == nil && code != 0 {
		return utilexec.CodeExitError{Code: code, Err: fmt.Errorf("command terminated with exit code %d", code)}
	}
	return err
}

// serveSession upgrades the connection to whichever protocol the client proposes and runs a session over it. doing is
// what it does with the container, for its errors.
func (s *Server) serveSession(w http.ResponseWriter, r *http.Request, serve serveClassic, doing string, of func(id string) session) {
	options, err := streamOptions(r.URL.Query())
	if err != nil {
		writeStatus(w, err)
		return
	}
	id, p, err := s.container(r, false)
	if err != nil {
		writeStatus(w, err)
		return
	}
	w, r, end := bound(w, r)
	defer end()
	if proposesV5(r) {
		s.serveV5(w, r, options, of(id).telling(doing))
		return
	}
	serve(w, r, classic(of(id)), p, options)
}

// telling gives a session's errors the words that those of the older protocols have.
func (s session) telling(doing string) session {
	return func(ctx context.Context, streams pod.Streams) error {
		err := s(ctx, streams)
		if _, exited := exitCode(err); err != nil && !exited {
			err = fmt.Errorf("error %s container: %w", doing, err)
		}
		return err
	}
}

// serveClassic serves one session under the protocols up to the fourth.
type serveClassic func(w http.ResponseWriter, r *http.Request, c classic, p *corev1.Pod, o *remotecommand.Options)

func serveClassicExec(w http.ResponseWriter, r *http.Request, c classic, p *corev1.Pod, o *remotecommand.Options) {
	remotecommand.ServeExec(w, r, c, p.Name, string(p.UID), "", nil, o, idleTimeout, creationTimeout, remotecommand.SupportedStreamingProtocols)
}

func serveClassicAttach(w http.ResponseWriter, r *http.Request, c classic, p *corev1.Pod, o *remotecommand.Options) {
	remotecommand.ServeAttach(w, r, c, p.Name, string(p.UID), "", o, idleTimeout, creationTimeout, remotecommand.SupportedStreamingProtocols)
}

// streamOptions reads which streams are wanted, named as kubelets do (input=1) or as the pods' API does (stdin=true).
// A terminal has no separate standard error.
func streamOptions(q url.Values) (*remotecommand.Options, error) {
	wants := func(names ...string) bool {
		for _, name := range names {
			if v := q.Get(name); v == "1" || v == "true" {
				return true
			}
		}
		return false
	}
	o := &remotecommand.Options{
		Stdin:  wants(remotecommand.ExecStdinParam, "stdin"),
		Stdout: wants(remotecommand.ExecStdoutParam, "stdout"),
		Stderr: wants(remotecommand.ExecStderrParam, "stderr"),
		TTY:    wants(remotecommand.ExecTTYParam),
	}
	o.Stderr = o.Stderr && !o.TTY
	if !o.Stdin && !o.Stdout && !o.Stderr {
		return nil, apierrors.NewBadRequest("you must specify at least 1 of stdin, stdout, stderr")
	}
	return o, nil
}

// classic runs a session under the protocols up to the fourth, which cri-streaming serves.
type classic session

// ExecInContainer implements remotecommand.Executor.
func (c classic) ExecInContainer(ctx context.Context, _, _, _ string, _ []string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	streams := pod.Streams{TTY: tty, Resize: sizes(ctx, resize)}
	// A nil pointer in an interface is not nil, so only what is there is handed on.
	if in != nil {
		streams.Stdin = in
	}
	if out != nil {
		streams.Stdout = out
	}
	if err != nil {
		streams.Stderr = err
	}
	return c(ctx, streams)
}

// AttachContainer implements remotecommand.Attacher.
func (c classic) AttachContainer(ctx context.Context, name, uid, container string, in io.Reader, out, err io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	return c.ExecInContainer(ctx, name, uid, container, nil, in, out, err, tty, resize, 0)
}

func sizes(ctx context.Context, from <-chan remotecommand.TerminalSize) <-chan pod.TerminalSize {
	if from == nil {
		return nil
	}
	to := make(chan pod.TerminalSize)
	go func() {
		defer close(to)
		for size := range from {
			select {
			case to <- pod.TerminalSize(size):
			case <-ctx.Done():
				return
			}
		}
	}()
	return to
}

// exitCode finds the exit code in a session's error.
func exitCode(err error) (code int, ok bool) {
	var exit utilexec.CodeExitError
	ok = errors.As(err, &exit)
	return exit.Code, ok
}
