package machine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/moby/client"
)

// pids is the control group of this machine that counts processes, of version 1.
const pids = "/sys/fs/cgroup/pids"

// FillContainers lets no process of a container have another one, until free. Where the kernel counts no processes the
// test is skipped.
func (m *Machine) FillContainers(t testing.TB) (free func()) {
	t.Helper()
	return m.limit(t, m.groups())
}

// FillProcesses lets no process of the machine have another one, nor another thread, until free: not the engine, and not
// who was started with Start.
func (m *Machine) FillProcesses(t testing.TB) (free func()) {
	t.Helper()
	group := filepath.Join(m.groups(), "machine")
	must(t, os.MkdirAll(filepath.Join(pids, group), 0o755))
	for _, pid := range m.processes(t) {
		// Who has ended meanwhile needs no place.
		_ = os.WriteFile(filepath.Join(pids, group, "cgroup.procs"), []byte(pid), 0)
	}
	return m.limit(t, group)
}

// limit lets a group have no more processes than it has.
func (m *Machine) limit(t testing.TB, group string) (free func()) {
	t.Helper()
	now, err := os.ReadFile(filepath.Join(pids, group, "pids.current"))
	if err != nil {
		t.Skipf("the kernel does not count processes here: %v", err)
	}
	most := filepath.Join(pids, group, "pids.max")
	must(t, os.WriteFile(most, bytes.TrimSpace(now), 0))
	return func() { must(t, os.WriteFile(most, []byte("max"), 0)) }
}

// processes are those on the machine, but for containers', by their PIDs here.
func (m *Machine) processes(t testing.TB) (all []string) {
	t.Helper()
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", m.init.Process.Pid))
	must(t, err)
	entries, err := os.ReadDir("/proc")
	must(t, err)
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		if of, err := os.Readlink(filepath.Join("/proc", e.Name(), "ns/pid")); err == nil && of == namespace {
			all = append(all, e.Name())
		}
	}
	return all
}

// ReviveEngine starts the engine again if it has ended by itself, or its containerd has, as whoever keeps them does.
func (m *Machine) ReviveEngine(t testing.TB) {
	t.Helper()
	if _, err := m.Engine.ContainerList(t.Context(), client.ContainerListOptions{All: true}); err == nil && m.runs(t, "containerd") {
		return
	}
	t.Log("the engine has ended")
	select {
	case <-m.ended:
	default:
		m.KillEngine(t)
	}
	m.StartEngine(t)
}

// runs says whether a program runs on the machine.
func (m *Machine) runs(t testing.TB, program string) bool {
	t.Helper()
	for _, pid := range m.processes(t) {
		if name, err := os.ReadFile(filepath.Join("/proc", pid, "comm")); err == nil && strings.TrimSpace(string(name)) == program {
			return true
		}
	}
	return false
}
