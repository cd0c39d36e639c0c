package docker_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/pod"
)

// execRefusal is how the engine begins when it cannot start a command.
const execRefusal = "OCI runtime exec failed:"

func TestExec(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("exec"))
	for _, row := range []struct {
		command []string
		code    int
		output  string
	}{
		{[]string{"/app", "echo", "hello", "there"}, 0, "hello there"},
		{[]string{"/app", "exit", "42"}, 42, "exiting with 42"},
	} {
		output, code, err := n.Exec(t.Context(), id, row.command)
		if err != nil || code != row.code || !strings.Contains(string(output), row.output) {
			t.Errorf("%v: code %d, output %q, %v", row.command, code, output, err)
		}
	}
	for _, tty := range []bool{false, true} {
		var stdout, stderr bytes.Buffer
		streams := pod.Streams{Stdout: &stdout, Stderr: &stderr, TTY: tty}
		if tty {
			streams.Stderr = nil
		}
		_, err := n.ExecStream(t.Context(), id, []string{"/nothing"}, streams)
		if err == nil || !strings.HasPrefix(err.Error(), "failed to exec in container: failed to start exec \"") || !strings.Contains(err.Error(), "no such file") || stdout.Len() > 0 {
			t.Errorf("a command that is not there: %v, output %q", err, stdout.String())
		}
		_, err = n.ExecStream(t.Context(), id, []string{"/app", "echo", execRefusal}, streams)
		if err != nil || strings.TrimSpace(stdout.String()) != execRefusal {
			t.Errorf("a command that speaks like the engine: %v, output %q", err, stdout.String())
		}
	}
	output, _, err := n.Exec(t.Context(), id, []string{"/app", "print", "5000", "end"})
	if err != nil || len(output) != 10*1024 {
		t.Errorf("a long output gave %d bytes, %v", len(output), err)
	}
}

func TestExecTimeoutKills(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("slow"))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, _, err := n.Exec(ctx, id, []string{"/app", "stay", "deaf"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	dockertest.Eventually(t, func() bool { return processes(t, n, id) == 1 })
}

// processes counts those of a container.
func processes(t *testing.T, n *dockertest.Node, id string) int {
	t.Helper()
	top, err := n.Engine.ContainerTop(t.Context(), id, client.ContainerTopOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return len(top.Processes)
}

func TestExecWithInputAndBothOutputs(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("input"))
	var stdout, stderr bytes.Buffer
	code, err := n.ExecStream(t.Context(), id, []string{"/app", "cat"}, pod.Streams{
		Stdin: strings.NewReader(strings.Repeat("all of it\n", 10_000)), Stdout: &stdout, Stderr: &stderr,
	})
	if err != nil || code != 0 || stdout.Len() != 100_000 || stderr.Len() != 0 {
		t.Errorf("code %d, %v, %d and %d bytes", code, err, stdout.Len(), stderr.Len())
	}
	stdout.Reset()
	code, err = n.ExecStream(t.Context(), id, []string{"/app", "print", "4", "end"}, pod.Streams{Stdout: &stdout, Stderr: &stderr})
	if err != nil || code != 0 || stdout.String() != "line 0\nline 2\n" || stderr.String() != "line 1\nline 3\n" {
		t.Errorf("code %d, %v, %q and %q", code, err, stdout.String(), stderr.String())
	}
}

func TestTerminalIsResizedAndHungUp(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("terminal"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	input, typed := io.Pipe()
	defer input.Close()
	output := &dockertest.Screen{}
	sizes := make(chan pod.TerminalSize)
	ended := make(chan error, 1)
	go func() {
		_, err := n.ExecStream(ctx, id, []string{"/app", "size"}, pod.Streams{Stdin: input, Stdout: output, TTY: true, Resize: sizes})
		ended <- err
	}()
	sizes <- pod.TerminalSize{Width: 97, Height: 31}
	sizes <- pod.TerminalSize{Width: 97, Height: 31} // taken when the one before is done
	dockertest.Eventually(t, func() bool {
		_, _ = io.WriteString(typed, "\n") // asked for again
		return strings.Contains(output.String(), "size 97 31")
	})
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	dockertest.Eventually(t, func() bool { return processes(t, n, id) == 1 })
}

// TestInputEndsBeforeTheClientGoes is of a client whose input ends first: with a terminal the engine then ends the
// output too, while the process runs on.
func TestInputEndsBeforeTheClientGoes(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("ended-input"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := n.ExecStream(ctx, id, []string{"/app", "stay"}, pod.Streams{Stdin: strings.NewReader(""), Stdout: io.Discard, TTY: true})
		ended <- err
	}()
	dockertest.Eventually(t, func() bool { return processes(t, n, id) == 2 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	dockertest.Eventually(t, func() bool { return processes(t, n, id) == 1 })
}

func TestAttach(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("attach", "cat")
	p.Spec.Containers[0].Stdin, p.Spec.Containers[0].StdinOnce = true, true
	id := n.Run(t, p)
	var stdout bytes.Buffer
	err := n.Attach(t.Context(), id, pod.Streams{Stdin: strings.NewReader("over and out\n"), Stdout: &stdout})
	if err != nil || stdout.String() != "over and out\n" {
		t.Errorf("%v, %q", err, stdout.String())
	}
	if c := n.WaitExit(t, id); c.ExitCode != 0 {
		t.Errorf("%+v", c)
	}
}

// TestFirstWords is of what a container says before the one session comes that its standard input waits for.
func TestFirstWords(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	start := func(name string, args ...string) string {
		p := n.Pod(name, args...)
		p.Spec.Containers[0].Stdin, p.Spec.Containers[0].StdinOnce = true, true
		return n.Run(t, p)
	}
	said := func(id, text string) {
		dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), text) })
	}
	attach := func(id string) string {
		var stdout bytes.Buffer
		if err := n.Attach(t.Context(), id, pod.Streams{Stdin: strings.NewReader("\n"), Stdout: &stdout}); err != nil {
			t.Error(err)
		}
		return stdout.String()
	}
	asking := start("asking", "ask", "who?")
	said(asking, "who?")
	if got := attach(asking); got != "who?\nyou\n" {
		t.Errorf("the session has %q", got)
	}
	long := start("long", "ask", strings.Repeat("long ", 20_000))
	said(long, "long")
	if got := attach(long); got != "you\n" {
		t.Errorf("a session that comes after more than is kept has %.60q", got)
	}
	young := start("young", "ask", "who?")
	said(young, "who?")
	n.Restart(t)
	if got := attach(young); got != "you\n" {
		t.Errorf("a session with an agent younger than the container has %q", got)
	}
}

func TestAttachWithoutTerminalToOne(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("terminal", "cat")
	p.Spec.Containers[0].Stdin, p.Spec.Containers[0].TTY = true, true
	id := n.Run(t, p)
	input, typed := io.Pipe()
	ended := make(chan error, 1)
	output := &dockertest.Screen{}
	go func() { ended <- n.Attach(t.Context(), id, pod.Streams{Stdin: input, Stdout: output}) }()
	dockertest.Eventually(t, func() bool { // what is typed before the session stands is lost
		io.WriteString(typed, "hello\n") //nolint:errcheck // asked for again
		return strings.Contains(output.String(), "hello\r\nhello\r\n")
	})
	if err := n.Stop(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAttachToWhatEnds(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	attach := func(id string) error {
		input, typed := io.Pipe() // nobody types
		defer typed.Close()
		return n.Attach(ctx, id, pod.Streams{Stdin: input, Stdout: io.Discard})
	}
	for range 5 { // attaching, the program finds it running, ending or ended
		p := n.Pod("brief", "echo", "and gone")
		p.Spec.Containers[0].Stdin = true
		id := n.Run(t, p)
		_ = attach(id) // either way, it comes back
		if ctx.Err() != nil {
			t.Fatal("attached for good to a container that has ended")
		}
		n.WaitExit(t, id)
		if err := attach(id); err == nil || !strings.Contains(err.Error(), "not running") {
			t.Errorf("attaching to a container that has ended: %v", err)
		}
	}
}

func TestEventsTellWhichPodChanged(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	n.Run(t, n.Pod("first")) // after it we know which scores the host allows: no sandbox is made twice
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, changed, ended := make(chan struct{}), make(chan types.UID, 100), make(chan error, 1)
	go func() {
		ended <- n.Events(ctx, func() { close(ready) }, func(uid types.UID) { changed <- uid })
	}()
	<-ready
	p := n.Pod("eventful")
	id := n.Run(t, p)
	if c, _ := n.Find(t, id); c.State != pod.Running {
		t.Fatalf("%+v", c)
	}
	if err := n.Stop(t.Context(), id, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	wantOnly := func(what string) {
		t.Helper()
		if uid := <-changed; uid != p.UID || len(changed) != 0 { // nothing of the pod's making either
			t.Errorf("%s: an event of pod %q, and %d more", what, uid, len(changed))
		}
	}
	wantOnly("the container has ended")
	if c, _ := n.Find(t, id); c.State != pod.Exited {
		t.Errorf("%+v", c)
	}
	if _, err := n.Engine.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		t.Fatal(err)
	}
	wantOnly("somebody else has started it")
	if c, _ := n.Find(t, id); c.State != pod.Running {
		t.Errorf("%+v", c)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("stats", "memory", "20"))
	dockertest.Eventually(t, func() bool { return strings.Contains(tail(t, n, id), "have 20") })
	s, err := n.Stats(t.Context(), id)
	if err != nil || s.CPU <= 0 || s.WorkingSet < 20<<20 || s.RSS < 20<<20 || s.Time.IsZero() || s.Processes == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	all, err := n.Containers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all { // what the engine has told of them before, the kernel is asked
		s, err := n.Stats(t.Context(), c.ID)
		switch {
		case err != nil || s.MemoryUsage == 0 || s.Processes == 0:
			t.Errorf("%s: %+v, %v", c.Name, s, err)
		case c.Sandbox && (len(s.Interfaces) != 1 || s.Interfaces[0].Name != "eth0"):
			t.Errorf("the network: %+v", s.Interfaces)
		case c.ID == id && (s.CPU <= 0 || s.RSS < 20<<20 || s.Received != 0):
			t.Errorf("%+v", s)
		}
	}
}
