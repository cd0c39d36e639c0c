package test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMakeUp is the README's first command in a clean clone, twice, and `make down`.
func TestMakeUp(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	clone := filepath.Join(t.TempDir(), "leme")
	if out, err := exec.Command("git", "clone", "-q", "..", clone).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := func(args ...string) string {
		return output(t, func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, "make", args...)
			cmd.Dir = clone
			cmd.Env = append(c.env(), "MAKEFLAGS=")
			return cmd
		})
	}
	up := "UP_FLAGS=" + strings.Join(append(c.server, c.agent...), " ")
	for _, out := range []string{run("up", up), run("up", up)} {
		if !containsAll(out, []string{"node is Ready", "successfully rolled out", "Control plane", "Registry", "1/1", "describe pod"}) {
			t.Errorf("make up printed:\n%s", out)
		}
		if strings.Count(out, " 1/1 ") != 2 {
			t.Errorf("not two ready pods in:\n%s", out)
		}
	}
	pods := strings.Fields(c.mustKubectl(t, "get", "pods", "-o", "jsonpath={.items[*].metadata.name}"))
	if out := c.must(t, "describe", "pod", pods[0]); !containsAll(out, []string{"Scheduled", "Pulled", "Created", "Started"}) {
		t.Errorf("leme describe pod printed:\n%s", out)
	}
	if containers := containersOf(t, c, "default"); len(containers) != 4 {
		t.Errorf("two pods run as %v", containers)
	}
	down := "DOWN_FLAGS=" + strings.Join(c.nodeFlags(), " ")
	run("down", down)
	if left := containersOf(t, c, "default"); len(left) > 0 {
		t.Errorf("make down left %v", left)
	}
	if strings.Contains(docker(t, "network", "ls", "--format", "{{.Name}}"), c.network()) {
		t.Errorf("make down left the network %s", c.network())
	}
	run("down", down, "PURGE=1")
	if entries, err := os.ReadDir(c.home); err == nil {
		t.Errorf("make down PURGE=1 left %v", entries)
	}
}
