package nodeapi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"

	"leme/nodeagent/docker/dockertest"
)

// dialers are kubectl's two ways to a session.
var dialers = map[string]func(c *rest.Config, u *url.URL) (remotecommand.Executor, error){
	"websocket": func(c *rest.Config, u *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewWebSocketExecutor(c, http.MethodGet, u.String())
	},
	"websocket v4": func(c *rest.Config, u *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewWebSocketExecutorForProtocols(c, http.MethodGet, u.String(), "v4.channel.k8s.io")
	},
	"spdy": func(c *rest.Config, u *url.URL) (remotecommand.Executor, error) {
		return remotecommand.NewSPDYExecutor(c, http.MethodPost, u)
	},
}

func sessionURL(c *rest.Config, path string, query url.Values) *url.URL {
	u, _ := url.Parse(c.Host + path)
	u.RawQuery = query.Encode()
	return u
}

func TestExec(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.run(t, n.Pod("exec"))
	server := n.server(t)
	for name, dial := range dialers {
		t.Run(name, func(t *testing.T) {
			stream := func(q url.Values, o remotecommand.StreamOptions) error {
				t.Helper()
				e, err := dial(server, sessionURL(server, "/exec/default/exec/app", q))
				must(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				return e.StreamWithContext(ctx, o)
			}
			var stdout, stderr bytes.Buffer
			err := stream(url.Values{"command": {"/app", "print", "2", "end"}, "output": {"1"}, "error": {"1"}},
				remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr})
			if err != nil || stdout.String() != "line 0\n" || stderr.String() != "line 1\n" {
				t.Errorf("outputs: %v, %q, %q", err, stdout.String(), stderr.String())
			}
			err = stream(url.Values{"command": {"/app", "exit", "42"}, "stderr": {"true"}}, remotecommand.StreamOptions{Stderr: io.Discard})
			if exit, ok := errors.AsType[utilexec.CodeExitError](err); !ok || exit.Code != 42 {
				t.Errorf("exit code: %v", err)
			}
			if name == "websocket v4" {
				return // the end of the input cannot be told
			}
			stdout.Reset()
			input := strings.Repeat("all of the input\n", 50_000)
			err = stream(url.Values{"command": {"/app", "cat"}, "input": {"1"}, "output": {"1"}},
				remotecommand.StreamOptions{Stdin: strings.NewReader(input), Stdout: &stdout})
			if err != nil || stdout.String() != input {
				t.Errorf("input: %v, %d bytes of %d", err, stdout.Len(), len(input))
			}
		})
	}
}

func TestTerminalIsResizedAndHungUp(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	id := n.run(t, n.Pod("terminal"))
	server := n.server(t)
	for name, dial := range dialers {
		t.Run(name, func(t *testing.T) {
			e, err := dial(server, sessionURL(server, "/exec/default/terminal/app",
				url.Values{"command": {"/app", "size"}, "input": {"1"}, "output": {"1"}, "tty": {"1"}}))
			must(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			input, typed := io.Pipe()
			output := &dockertest.Screen{}
			ended := make(chan error, 1)
			go func() {
				ended <- e.StreamWithContext(ctx, remotecommand.StreamOptions{
					Stdin: input, Stdout: output, Tty: true, TerminalSizeQueue: &oneSize{size: remotecommand.TerminalSize{Width: 91, Height: 33}},
				})
			}()
			dockertest.Eventually(t, func() bool {
				_, _ = io.WriteString(typed, "\n") // asked for again
				return strings.Contains(output.String(), "size 91 33")
			})
			cancel() // the client goes away without a word
			if <-ended == nil {
				t.Error("the session that was broken off ended well")
			}
			input.Close()
			dockertest.Eventually(t, func() bool {
				top, err := n.Engine.ContainerTop(t.Context(), id, client.ContainerTopOptions{})
				must(t, err)
				return len(top.Processes) == 1
			})
		})
	}
}

func TestAttach(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	server := n.server(t)
	for _, name := range []string{"websocket", "spdy"} {
		p := n.Pod("attach-"+name, "cat")
		p.Spec.Containers[0].Stdin, p.Spec.Containers[0].StdinOnce = true, true
		n.run(t, p)
		e, err := dialers[name](server, sessionURL(server, "/attach/default/"+p.Name+"/"+string(p.UID)+"/app", url.Values{"input": {"1"}, "output": {"1"}}))
		must(t, err)
		var stdout bytes.Buffer
		err = e.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: strings.NewReader("to you\n"), Stdout: &stdout})
		if err != nil || stdout.String() != "to you\n" {
			t.Errorf("%s: %v, %q", name, err, stdout.String())
		}
	}
}

func TestBadSessions(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.run(t, n.Pod("here"))
	server := n.server(t)
	for path, want := range map[string]string{
		"/exec/default/gone/app?command=x&output=1":         "not found",
		"/exec/default/here/none?command=x&output=1":        "container none is not valid",
		"/exec/default/here/app?output=1":                   "at least 1 command",
		"/exec/default/here/app?command=x":                  "at least 1 of stdin",
		"/exec/default/here/uid-else/app?command=x&error=1": "not found",
		"/portForward/default/gone":                         "not found",
	} {
		if code, body := get(t, server, path); code < 400 || !strings.Contains(body, want) || !strings.Contains(body, `"kind":"Status"`) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

// oneSize tells a terminal's size once.
type oneSize struct {
	size remotecommand.TerminalSize
	told bool
}

func (o *oneSize) Next() *remotecommand.TerminalSize {
	if o.told {
		return nil
	}
	o.told = true
	return &o.size
}
