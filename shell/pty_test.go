package shell

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what must come at once.
const patience = 10 * time.Second

// terminal is a pseudo-terminal in which the program runs as a session.
type terminal struct {
	t       *testing.T
	program *exec.Cmd
	master  *os.File
	before  unix.Termios

	mu     sync.Mutex
	more   *sync.Cond
	screen bytes.Buffer // everything written so far
	seen   int          // up to here a test has looked
	gone   bool
}

func openTerminal(t *testing.T, columns, rows uint16, env ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, master: master, program: exec.Command(self)}
	x.more = sync.NewCond(&x.mu)
	x.before = x.modes()
	home := t.TempDir()
	x.program.Env = append(os.Environ(), asProgram+"=1", "HOME="+home, "LEME_HOME="+home, "TERM=xterm", "NO_COLOR=1", "KUBECONFIG=")
	x.program.Env = append(x.program.Env, env...)
	x.program.Stdin, x.program.Stdout, x.program.Stderr = slave, slave, slave
	x.program.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	x.resize(columns, rows)
	if err := x.program.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	go x.read()
	t.Cleanup(func() {
		_ = x.program.Process.Kill()
		_ = master.Close()
	})
	return x
}

func (x *terminal) read() {
	buf := make([]byte, 4096)
	for {
		n, err := x.master.Read(buf)
		x.mu.Lock()
		x.screen.Write(buf[:n])
		x.gone = err != nil
		x.more.Broadcast()
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// sequences are what a terminal acts on and does not show.
var sequences = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\x1b[DM]`)

// sees waits until this text has come, behind what was seen before.
func (x *terminal) sees(want string) {
	x.t.Helper()
	timeout := time.AfterFunc(patience, func() {
		x.mu.Lock()
		x.gone = true
		x.more.Broadcast()
		x.mu.Unlock()
	})
	defer timeout.Stop()
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		text := x.screen.Bytes()[x.seen:]
		for end := 1; end <= len(text); end++ {
			if strings.HasSuffix(sequences.ReplaceAllString(string(text[:end]), ""), want) {
				x.seen += end
				return
			}
		}
		if x.gone {
			x.t.Fatalf("%q did not come; what came:\n%s\n(%q)", want, sequences.ReplaceAllString(string(text), ""), text)
		}
		x.more.Wait()
	}
}

func (x *terminal) types(text string) {
	x.t.Helper()
	if _, err := x.master.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) resize(columns, rows uint16) {
	if err := pty.Setsize(x.master, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) modes() unix.Termios {
	modes, err := unix.IoctlGetTermios(int(x.master.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return *modes
}

// ends waits for the session's end, and holds that the terminal has its modes back.
func (x *terminal) ends(code int) {
	x.t.Helper()
	done := make(chan error, 1)
	go func() { done <- x.program.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			x.t.Fatal(err)
		}
	case <-time.After(patience):
		x.t.Fatal("the session does not end")
	}
	if got := x.program.ProcessState.ExitCode(); got != code {
		x.t.Errorf("exit code %d, want %d", got, code)
	}
	if after := x.modes(); after != x.before {
		x.t.Errorf("the terminal's modes changed:\nbefore %+v\nafter  %+v", x.before, after)
	}
}

const away = "(none)/default [cluster unreachable]> "

func TestSessionStartsWhileTheClusterIsDown(t *testing.T) {
	x := openTerminal(t, 100, 30)
	x.sees("leme 1.2.3: help lists the commands")
	x.sees(away)
	x.types("get pods\r")
	x.sees("error: no cluster is configured")
	x.sees(away)
	x.types("\x04")
	x.ends(1)
}

func TestSession(t *testing.T) {
	x := openTerminal(t, 100, 30, "KUBECONFIG="+fakeCluster(t))
	x.sees("test/default [1 node]> ")

	x.types("get cm -o name\r") // text and Enter in one write
	x.sees("configmap/map-of-default")
	x.sees("[1 node]> ")
	x.types("get cm -o name | tr a-z A-Z\r")
	x.sees("CONFIGMAP/MAP-OF-DEFAULT")
	x.sees("[1 node]> ")
	x.types("use web\r")
	x.sees("context test, namespace web")
	x.sees("test/web [1 node]> ")
	x.types("get cm \\\r")
	x.sees("> ")
	x.types("-o name\r")
	x.sees("configmap/map-of-web")
	x.sees("[1 node]> ")

	x.types("nothing typed here is run\x03")
	x.sees("test/web [1 node]> ")
	x.types("!cat <'\r")
	x.sees("nterminated")
	x.sees("test/web [1 node]> ")
	x.types("get 'open\r")
	x.sees("> ")
	x.types("\x03")
	x.sees("test/web [1 node]> ")

	x.types("\x1b[A\x1b[A\x1b[A\x1b[A") // up to the use
	x.sees("use web")
	x.types("\x03")
	x.types("exit 9\r")
	x.ends(9)
}

func TestSessionCompletes(t *testing.T) {
	x := openTerminal(t, 100, 30, "KUBECONFIG="+fakeCluster(t))
	x.sees("[1 node]> ")
	x.types("describe pod hel")
	x.sees("Running 2/2 node-1")
	x.types("\t\x01!echo chosen \r") // Ctrl-A: to the front of the line
	x.sees("\r\nchosen describe pod hello-1")
	x.sees("[1 node]> ")
	x.types("!echo hel\tlo\r") // the system's commands have no candidates
	x.sees("\r\nhello")
	x.sees("[1 node]> ")
	x.types("exit\r")
	x.ends(0)
}

func TestCtrlCEndsTheCommandOnly(t *testing.T) {
	x := openTerminal(t, 100, 30, "KUBECONFIG="+fakeCluster(t))
	x.sees("[1 node]> ")
	x.types("!echo started; sleep 1000\r")
	x.sees("\r\nstarted")
	x.types("\x03")
	x.sees("[1 node]> ")
	x.types("!echo waiting; cat\r")
	x.sees("\r\nwaiting")
	x.types("for the next line\r")
	x.sees("for the next line\r\nfor the next line")
	x.types("\x04")
	x.sees("[1 node]> ")
	x.types("get pods -w\r")
	x.types("\x03")
	x.sees("[1 node]> ")
	x.types("!stty -a | grep -o '[-]*icanon'\r")
	x.sees("\r\nicanon")
	x.sees("[1 node]> ")
	x.types("\x04")
	x.ends(0)
}

func TestSessionEndsWithSIGTERM(t *testing.T) {
	x := openTerminal(t, 100, 30)
	x.sees(away)
	if err := x.program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.ends(143)

	x = openTerminal(t, 100, 30)
	x.sees(away)
	x.types("!echo up; sleep 1000\r")
	x.sees("\r\nup")
	if err := x.program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.ends(143)
}

func TestPasteIsNotRunBeforeEnter(t *testing.T) {
	x := openTerminal(t, 100, 30)
	x.sees(away)
	x.types("\x1b[200~!cat\n\x1b[201~")
	x.sees("!cat")
	x.types("\x15\x1b[200~!echo one\n!echo two\n\x1b[201~")
	x.sees("!echo one␊!echo two")
	x.types("\r")
	x.sees("\r\none")
	x.sees("\r\ntwo")
	x.sees(away)
	x.types("\x04")
	x.ends(0)
}

func TestReverseSearch(t *testing.T) {
	x := openTerminal(t, 100, 30)
	x.sees(away)
	for i := range 3 {
		x.types(fmt.Sprintf("!echo line-%d\r", i))
		x.sees(fmt.Sprintf("\r\nline-%d", i))
		x.sees(away)
	}
	x.types("\x12line")
	x.sees("(search)`line': !echo line-2")
	x.types("\x12")
	x.sees("!echo line-1")
	x.types("\r")
	x.sees("\r\nline-1")
	x.sees(away)
	x.types("\x12nowhere")
	x.sees("(not found)`nowhere")
	x.types("\x07!echo on\r")
	x.sees("\r\non")
	x.sees(away)
	x.types("\x04")
	x.ends(0)
}

func TestResizeAndNarrowWindows(t *testing.T) {
	x := openTerminal(t, 100, 30, "KUBECONFIG="+fakeCluster(t))
	x.sees("test/default [1 node]> ")
	x.types("describe pod hel")
	x.sees("Pending")
	x.resize(38, 10)
	x.sees("default [1 node]> ")
	x.sees("describe pod hel")
	for columns := uint16(24); columns > 0; columns -= 4 {
		x.resize(columns, columns/4)
		x.types("\t\t x")
		x.sees("x")
	}
	x.resize(120, 40)
	x.sees("test/default [1 node]> ")
	x.types("\x15!echo well\r")
	x.sees("\r\nwell")
	x.sees("[1 node]> ")
	x.types("\x04")
	x.ends(0)
}
