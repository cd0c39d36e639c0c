// Package machine gives a test a machine of its own, in namespaces of this one: with a network, processes, mounts and a
// Docker Engine that nobody else has, so that they can be killed, stopped and started at will. It needs root. All of it
// is gone when the test ends, and also when the test is killed.
//
//	m := machine.New(t, machine.Config{LiveRestore: true})
//	agent := exec.Command("leme", "agent", "--docker-host", m.Host())
//	err := m.Start(agent)
//	m.KillEngine(t)
//	m.StartEngine(t)
package machine

import (
	"bufio"
	_ "embed"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// Config says what a machine is like.
type Config struct {
	LiveRestore bool // containers run on while the engine is away
	// Disk is the size of a disk of the machine's own, in bytes, on which its engine keeps what it has; 0: there is none.
	// The methods Disk and Files tell where it is.
	Disk int64
}

// Machine is one. Its files are those of this machine, but for /run and /sys; its processes have PIDs here too.
type Machine struct {
	Dir     string         // of its own
	Address netip.Addr     // by which it is reached from here
	Outside netip.Addr     // by which it reaches us
	Engine  *client.Client // of its engine

	config  Config
	init    *exec.Cmd
	stdin   io.Closer
	dockerd *exec.Cmd
	ended   chan struct{} // closed once dockerd has
	log     *os.File
}

// New makes a machine with an engine that runs. Without root the test is skipped.
func New(t testing.TB, c Config) *Machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a machine needs root")
	}
	if _, err := exec.LookPath("dockerd"); err != nil {
		t.Skipf("there is no container engine: %v", err)
	}
	dir, err := os.MkdirTemp("", "leme-machine-") // short: a socket's path has few characters
	must(t, err)
	m := &Machine{Dir: dir, config: c}
	t.Cleanup(func() { m.remove(t) })
	m.boot(t)
	m.connect(t)
	m.Engine, err = client.New(client.WithHost(m.Host()))
	must(t, err)
	must(t, os.WriteFile(m.settings(), []byte("{}"), 0o600))
	m.log, err = os.Create(filepath.Join(dir, "dockerd.log"))
	must(t, err)
	m.StartEngine(t)
	return m
}

//go:embed init.sh
var initScript string

// boot starts the machine's first process, and returns once the machine is ready for others.
func (m *Machine) boot(t testing.TB) {
	t.Helper()
	m.init = exec.Command("bash", "-c", initScript, "init", m.Dir, strconv.FormatInt(m.config.Disk, 10))
	m.init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
	}
	stdin, err := m.init.StdinPipe()
	must(t, err)
	stdout, err := m.init.StdoutPipe()
	must(t, err)
	var complaints strings.Builder
	m.init.Stderr, m.stdin = &complaints, stdin
	must(t, m.init.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "up\n" {
		_ = m.init.Wait() // its words say more
		m.init = nil
		t.Fatalf("the machine does not come up: %v: %s", err, complaints.String())
	}
}

// removalPatience bounds the wait until the kernel has taken a machine's control groups down.
const removalPatience = 10 * time.Second

// remove ends everything on the machine, and takes away what it leaves here.
func (m *Machine) remove(t testing.TB) {
	if m.Engine != nil {
		m.Engine.Close()
	}
	if m.init != nil {
		m.stdin.Close()
		if m.ended != nil {
			<-m.ended // the first process is gone when all others are
		}
		_ = m.init.Wait() // it has nothing to say
	}
	if m.log != nil {
		m.log.Close()
	}
	if t.Failed() {
		m.tell(t)
	}
	m.removeGroups(t)
	if err := os.RemoveAll(m.Dir); err != nil {
		t.Errorf("removing the machine: %v", err)
	}
}

// tell shows the end of the engine's log.
func (m *Machine) tell(t testing.TB) {
	log, err := os.ReadFile(filepath.Join(m.Dir, "dockerd.log"))
	if err == nil {
		t.Logf("the engine's log ends:\n%s", log[max(0, len(log)-4000):])
	}
}

// removeGroups removes the control groups of the machine's containers, which outlive it.
func (m *Machine) removeGroups(t testing.TB) {
	t.Helper()
	groups, err := filepath.Glob(filepath.Join("/sys/fs/cgroup/*", m.groups(), "*"))
	must(t, err)
	tops, err := filepath.Glob(filepath.Join("/sys/fs/cgroup/*", m.groups()))
	must(t, err)
	unified, err := filepath.Glob(filepath.Join("/sys/fs/cgroup", m.groups(), "*"))
	must(t, err)
	all := append(append(groups, tops...), append(unified, filepath.Join("/sys/fs/cgroup", m.groups()))...)
	late := time.After(removalPatience)
	tick := time.NewTicker(5 * time.Millisecond) // nothing announces that the last process has left a group
	defer tick.Stop()
	for _, group := range all {
		if info, err := os.Stat(group); err != nil || !info.IsDir() {
			continue // it goes with its group
		}
		for err := os.Remove(group); err != nil && !os.IsNotExist(err); err = os.Remove(group) {
			select {
			case <-tick.C:
			case <-late:
				t.Fatalf("removing a control group: %v", err)
			}
		}
	}
}

// groups is the control group that the engine makes those of its containers in.
func (m *Machine) groups() string { return filepath.Base(m.Dir) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
