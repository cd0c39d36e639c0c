package test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// screen is a tmux session of its own server: a terminal with real keys.
type screen struct {
	t      *testing.T
	socket string
}

// newScreen starts a shell in a terminal.
func newScreen(t *testing.T, env []string, shell ...string) *screen {
	t.Helper()
	s := &screen{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	args := append([]string{"new-session", "-d", "-x", "160", "-y", "50"}, shell...)
	cmd := exec.Command("tmux", append([]string{"-f", "/dev/null", "-S", s.socket}, args...)...)
	cmd.Env = append(env, "TERM=xterm-256color", "LANG=C.UTF-8", "TMUX=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", s.socket, "kill-server").Run() })
	return s
}

// keys types: words that tmux knows are keys (Tab, Enter, C-c), others are text.
func (s *screen) keys(keys ...string) {
	s.t.Helper()
	if out, err := exec.Command("tmux", append([]string{"-S", s.socket, "send-keys"}, keys...)...).CombinedOutput(); err != nil {
		s.t.Fatalf("tmux send-keys: %v\n%s", err, out)
	}
}

func (s *screen) text() string {
	out, err := exec.Command("tmux", "-S", s.socket, "capture-pane", "-p").Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// shows waits until everything wanted is on the screen.
func (s *screen) shows(wanted ...string) {
	s.t.Helper()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience / 4); time.Now().Before(deadline); <-ticker.C {
		if containsAll(s.text(), wanted) {
			return
		}
	}
	s.t.Fatalf("not all of %q on the screen:\n%s", wanted, s.text())
}

// prompts waits until the shell asks for the next line: what is typed before that belongs to the command that runs.
func (s *screen) prompts() {
	s.t.Helper()
	eventually(s.t, "a prompt on the last line", func() bool {
		lines := strings.Split(strings.TrimSpace(s.text()), "\n")
		last := strings.TrimSpace(lines[len(lines)-1])
		return strings.HasPrefix(last, "leme/") && strings.HasSuffix(last, ">")
	})
}

func containsAll(text string, wanted []string) bool {
	for _, w := range wanted {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// TestShellsComplete types a line in the user's own shell.
func TestShellsComplete(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	pod := deployHello(t, c, namespace)
	for _, shell := range []struct {
		name  string
		start []string
		setup string
	}{
		{"bash", []string{"bash", "--norc", "--noprofile"}, "PS1='$ '; source /usr/share/bash-completion/bash_completion; source <(leme completion bash)"},
		{"zsh", []string{"zsh", "-f"}, "PS1='$ '; autoload -Uz compinit; compinit -u -d " + filepath.Join(t.TempDir(), "zcompdump") + "; source <(leme completion zsh)"},
	} {
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			env := append(c.env(), "PATH="+c.bin+":"+os.Getenv("PATH"), "KUBECONFIG="+c.kubeconfig(), "LEME_NAMESPACE="+namespace)
			s := newScreen(t, env, shell.start...)
			s.keys(shell.setup+"; clear; echo ready", "Enter")
			s.shows("ready")
			s.keys("leme get po hel", "Tab")
			s.shows("leme get po " + pod[:strings.LastIndexByte(pod, '-')]) // what the two pods share
			s.keys("Tab", "Tab")                                            // bash rings, then lists
			s.shows(pod, "Running")
			s.keys("C-c", "")
			s.keys("clear; leme rollout sta", "Tab")
			s.shows("leme rollout status")
		})
	}
}

// TestSession is a session in the shell with real keys, as its user sees it.
func TestSession(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	pod := deployHello(t, c, namespace)
	env := append(c.env(), "PATH="+c.bin+":"+os.Getenv("PATH"))
	s := newScreen(t, env, "bash", "--norc", "--noprofile")
	before := filepath.Join(t.TempDir(), "before")
	s.keys("PS1='$ '; stty -a > "+before+"; clear; leme", "Enter")
	s.shows("default")
	s.keys("use "+namespace, "Enter")
	s.shows(namespace)

	s.keys("describe pod hel", "Tab")
	s.shows(pod, "Running")
	s.keys("C-c", "")
	s.keys("describe pod "+pod, "Enter")
	s.shows("Events:", "Started")

	s.keys("C-l", "")
	s.keys("get pods | grep -c hello", "Enter")
	s.shows("\n2\n")

	s.keys("C-l", "")
	s.keys("get pods -w", "Enter")
	s.shows("NAME", pod)
	s.keys("C-c", "")
	s.prompts()
	s.keys("version --client", "Enter") // the shell is still there
	s.shows("Client")

	s.keys("C-l", "")
	s.keys("exec -it "+pod+" -- /hello --help", "Enter")
	s.shows("-port")
	s.prompts()
	s.keys("C-d", "")
	after := filepath.Join(t.TempDir(), "after")
	s.keys("stty -a > "+after+"; echo left", "Enter")
	s.shows("\nleft")
	if b, a := read(t, before), read(t, after); a != b {
		t.Errorf("the terminal is not as it was:\n%s\n%s", b, a)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestScriptsStopAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	c, namespace := sharedCluster(t)
	script := filepath.Join(t.TempDir(), "script.leme")
	if err := os.WriteFile(script, []byte("# a script\nuse "+namespace+"\ncreate configmap one\nget configmap none\ncreate configmap two\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := c.command(ctx, "-f", script).CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 1 || !strings.Contains(string(out), "script.leme:4") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := c.must(t, "get", "configmaps", "-n", namespace, "-o", "name"); !strings.Contains(got, "configmap/one") || strings.Contains(got, "configmap/two") {
		t.Errorf("after the script:\n%s", got)
	}
}
