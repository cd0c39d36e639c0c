package test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestShortCommandsCollectNoGarbage holds that shell/warmup is initialised before the packages that allocate.
func TestShortCommandsCollectNoGarbage(t *testing.T) {
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "leme"), "version", "--client")
	cmd.Env = append(cmd.Environ(), "GOGC=", "GODEBUG=gctrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Client Version") {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "gc 1 @") {
		t.Errorf("garbage was collected:\n%s", out)
	}
}
