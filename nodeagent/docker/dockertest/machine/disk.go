package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Disk is where the machine has the disk of its own. It is not there but on the machine.
func (m *Machine) Disk() string { return filepath.Join(m.Dir, "disk") }

// Files is the path here of a file on the machine.
func (m *Machine) Files(path string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", m.init.Process.Pid), path)
}

// data is where the engine keeps what it has.
func (m *Machine) data() string {
	if m.config.Disk > 0 {
		return filepath.Join(m.Disk(), "engine")
	}
	return filepath.Join(m.Dir, "data")
}

// FillDisk takes all room that there is on the disk, again and again until nothing is left, and gives it back with free.
func (m *Machine) FillDisk(t testing.TB) (free func()) {
	t.Helper()
	filler, err := os.Create(m.Files(filepath.Join(m.Disk(), "filler")))
	must(t, err)
	for block := make([]byte, 1<<20); len(block) > 0; block = block[:len(block)/2] {
		for err == nil {
			_, err = filler.Write(block)
		}
		err = filler.Sync() // what is only promised may not fit
	}
	return func() {
		must(t, os.Remove(filler.Name()))
		must(t, filler.Close())
	}
}
