package shutdown

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// machine is a bus of the test's own with a made-up logind and systemd on it.
type machine struct {
	t       *testing.T
	address string
	confDir string
	conn    *dbus.Conn
	props   *prop.Properties

	mu    sync.Mutex
	asked []string
	locks chan pipe
}

func newMachine(t *testing.T, delaySeconds uint64) *machine {
	t.Helper()
	m := &machine{t: t, confDir: t.TempDir(), locks: make(chan pipe, 9)}
	m.address = startBus(t)
	var err error
	if m.conn, err = dbus.Connect(m.address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.conn.Close() })
	m.props, err = prop.Export(m.conn, logindPath, prop.Map{logindManager: {
		"InhibitDelayMaxUSec": {Value: delaySeconds * 1e6, Writable: true, Emit: prop.EmitFalse},
	}})
	for _, failed := range []error{
		err,
		m.conn.Export(m, logindPath, logindManager),
		m.conn.Export(m, systemdPath, systemd+".Manager"),
	} {
		if failed != nil {
			t.Fatal(failed)
		}
	}
	for _, name := range []string{logind, systemd} {
		if reply, err := m.conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
			t.Fatalf("%s: %v, %v", name, reply, err)
		}
	}
	return m
}

// startBus runs a message bus until the test ends.
func startBus(t *testing.T) (address string) {
	t.Helper()
	path, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skipf("there is no message bus: %v", err)
	}
	daemon := exec.Command(path, "--session", "--nofork", "--nopidfile", "--print-address", "--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Skipf("the message bus does not start: %v", err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill() // it may have ended
		_ = daemon.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the message bus tells no address: %v", err)
	}
	return strings.TrimSpace(line)
}

// Inhibit is logind's.
func (m *machine) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	m.mu.Lock()
	m.asked = append(m.asked, fmt.Sprintf("%s by %s: %s", mode, who, what))
	m.mu.Unlock()
	m.locks <- pipe{r, w}
	return dbus.UnixFD(w.Fd()), nil
}

// pipe is a lock as logind has it: its end is read once whoever took the lock has closed it, and so has logind.
type pipe struct{ end, own *os.File }

// KillUnit is systemd's: logind reads its settings.
func (m *machine) KillUnit(unit, _ string, signal int32) *dbus.Error {
	text, err := os.ReadFile(filepath.Join(m.confDir, overrideFile))
	found := regexp.MustCompile(`InhibitDelayMaxSec=(\d+)`).FindSubmatch(text)
	if err != nil || found == nil || unit != "systemd-logind.service" || signal != 1 {
		return dbus.MakeFailedError(fmt.Errorf("nothing to read: %s %d: %w", unit, signal, err))
	}
	seconds, _ := strconv.ParseUint(string(found[1]), 10, 64)
	m.props.SetMust(logindManager, "InhibitDelayMaxUSec", seconds*1e6)
	return nil
}

// prepare is what logind says before a shutdown, or when that is called off.
func (m *machine) prepare(begins bool) {
	m.t.Helper()
	if err := m.conn.Emit(logindPath, logindManager+".PrepareForShutdown", begins); err != nil {
		m.t.Fatal(err)
	}
}
