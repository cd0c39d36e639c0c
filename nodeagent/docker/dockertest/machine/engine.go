package machine

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// Socket is the path of the engine's socket.
func (m *Machine) Socket() string { return filepath.Join(m.Dir, "engine.sock") }

// Host is the engine as clients name it.
func (m *Machine) Host() string { return "unix://" + m.Socket() }

// StartEngine starts the engine, and returns once it answers.
func (m *Machine) StartEngine(t testing.TB) {
	t.Helper()
	args := []string{
		"--host", m.Host(), "--data-root", m.data(), "--exec-root", filepath.Join(m.Dir, "exec"),
		"--pidfile", filepath.Join(m.Dir, "dockerd.pid"), "--config-file", m.settings(), "--cgroup-parent", "/" + m.groups(),
	}
	if m.config.LiveRestore {
		args = append(args, "--live-restore")
	}
	m.dockerd, m.ended = exec.Command("dockerd", args...), make(chan struct{})
	m.dockerd.Stdout, m.dockerd.Stderr = m.log, m.log
	must(t, m.Start(m.dockerd))
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait() // its log says why
		close(ended)
	}(m.dockerd, m.ended)
	m.awaitEngine(t)
}

// settings is the engine's file of settings; this machine's own does not count.
func (m *Machine) settings() string { return filepath.Join(m.Dir, "daemon.json") }

// engineGrace bounds the wait for an engine that starts.
const engineGrace = time.Minute

func (m *Machine) awaitEngine(t testing.TB) {
	t.Helper()
	late := time.After(engineGrace)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := m.Engine.Ping(t.Context(), client.PingOptions{NegotiateAPIVersion: true})
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-m.ended:
			t.Fatal("the engine has ended")
		case <-late:
			t.Fatalf("the engine does not answer: %v", err)
		}
	}
}

// StopEngine ends the engine as an administrator does, and returns once it has ended.
func (m *Machine) StopEngine(t testing.TB) { m.endEngine(t, syscall.SIGTERM) }

// KillEngine ends the engine at once; its containerd runs on.
func (m *Machine) KillEngine(t testing.TB) { m.endEngine(t, syscall.SIGKILL) }

func (m *Machine) endEngine(t testing.TB, s syscall.Signal) {
	t.Helper()
	m.signal(t, s)
	<-m.ended
}

// HangEngine stops the engine: it takes connections and does not answer, until ResumeEngine.
func (m *Machine) HangEngine(t testing.TB) { m.signal(t, syscall.SIGSTOP) }

// ResumeEngine lets a hung engine go on.
func (m *Machine) ResumeEngine(t testing.TB) { m.signal(t, syscall.SIGCONT) }

func (m *Machine) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	must(t, m.dockerd.Process.Signal(s))
}
