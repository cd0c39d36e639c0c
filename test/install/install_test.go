package install

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestProgram(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "program")
	for range 2 { // the second time over the first
		if err := Program(own, to); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), to, "-test.list", "^TestProgram$").CombinedOutput(); err != nil {
			t.Errorf("what was installed does not run: %v\n%s", err, out)
		}
	}
	if err := Program(to+".none", to); err == nil {
		t.Error("nothing was installed")
	}
}
