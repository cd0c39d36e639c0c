package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// clients are programs that others wrote, or that are written with others' libraries, and know nothing of Leme. They are
// of a module of their own, so that nothing of theirs gets into Leme's.
var clients = map[string]string{
	"conformance": "github.com/opencontainers/distribution-spec/conformance",
	"helm":        "helm.sh/helm/v4/cmd/helm",
	"operator":    "leme/test/clients/operator",
}

// builtClients are built when they are first asked for, each once.
var builtClients = func() map[string]func() error {
	all := map[string]func() error{}
	for name, pkg := range clients {
		all[name] = sync.OnceValue(func() error {
			build := exec.Command("go", "build", "-C", "clients", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(builtDir, name), pkg)
			build.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := build.CombinedOutput(); err != nil {
				return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
			}
			return nil
		})
	}
	return all
}()

// client prepares a run of one of the clients against the cluster; its files are the test's own.
func (c *cluster) client(ctx context.Context, t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	if err := builtClients[name](); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	cmd.Env = append(c.env(), "KUBECONFIG="+c.kubeconfig(), "HOME="+c.home)
	return cmd
}
