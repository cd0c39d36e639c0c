package docker_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/docker/dockertest"
)

// line stands between a runtime and the engine, and can be cut: an engine that goes away and comes back, with
// containers that live on, as with live-restore.
type line struct {
	path, engine string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
}

func newLine(t *testing.T) *line {
	t.Helper()
	network, address, ok := strings.Cut(dockertest.Engine(t).DaemonHost(), "://")
	if !ok || network != "unix" {
		t.Skip("the engine is not reached over a unix socket")
	}
	l := &line{path: filepath.Join(t.TempDir(), "engine.sock"), engine: address, conns: map[net.Conn]bool{}}
	l.heal(t)
	t.Cleanup(l.cut)
	return l
}

func (l *line) heal(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("unix", l.path)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.listener = listener
	l.mu.Unlock()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go l.carry(near)
		}
	}()
}

func (l *line) carry(near net.Conn) {
	far, err := net.Dial("unix", l.engine)
	if err != nil {
		near.Close()
		return
	}
	l.mu.Lock()
	l.conns[near], l.conns[far] = true, true
	l.mu.Unlock()
	go func() {
		_, _ = io.Copy(far, near) // either side's end is the end of this direction
		_ = far.(*net.UnixConn).CloseWrite()
	}()
	_, _ = io.Copy(near, far)
	near.Close()
	far.Close()
}

// cut ends every connection and refuses new ones.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listener.Close()
	for c := range l.conns {
		c.Close()
	}
	clear(l.conns)
}

func TestFollowedLogGoesOnAfterTheEngineWasAway(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	for _, tty := range []bool{false, true} {
		l := newLine(t)
		p := n.Pod(fmt.Sprintf("counting-%t", tty), "count", "600")
		p.Spec.Containers[0].TTY = tty
		id := n.Run(t, p)
		output, ended := &dockertest.Screen{}, make(chan error, 1)
		runtime := n.Via(t, "unix://"+l.path)
		go func() { ended <- runtime.Logs(t.Context(), id, corev1.PodLogOptions{Follow: true}, output, output) }()
		lines := func() int { return strings.Count(output.String(), "\n") }
		for _, enough := range []int{50, 250} {
			dockertest.Eventually(t, func() bool { return lines() > enough })
			l.cut()
			l.heal(t)
		}
		dockertest.Eventually(t, func() bool { return lines() > 400 })
		l.cut() // and now the container ends while the engine is away
		wait := n.Engine.ContainerWait(t.Context(), id, client.ContainerWaitOptions{})
		select {
		case <-wait.Result:
		case err := <-wait.Error:
			t.Fatal(err)
		}
		l.heal(t)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for i := range 600 {
			fmt.Fprintf(&want, "line %d\n", i)
		}
		if got := strings.ReplaceAll(output.String(), "\r", ""); got != want.String() {
			t.Errorf("tty %t: lines were lost or came twice: %d lines, %q", tty, lines(), got)
		}
	}
}

func TestEventsAndExecBreakWithTheEngine(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("breaking"))
	l := newLine(t)
	runtime := n.Via(t, "unix://"+l.path)
	ready, ended := make(chan struct{}), make(chan error, 2)
	go func() {
		ended <- runtime.Events(t.Context(), func() { close(ready) }, func(types.UID) {})
	}()
	<-ready
	started := make(chan struct{})
	go func() {
		close(started)
		_, _, err := runtime.Exec(context.WithoutCancel(t.Context()), id, []string{"/app", "stay"})
		ended <- err
	}()
	<-started
	dockertest.Eventually(t, func() bool { return processes(t, n, id) == 2 })
	l.cut()
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("a broken stream was taken for an end")
		}
	}
	l.heal(t)
	if all, err := runtime.Containers(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("after the outage: %+v, %v", all, err)
	}
}
