package server

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// start runs a whole server on a loopback port until the test ends, and gives its admin kubeconfig.
func start(t testing.TB) (s *Server, kubeconfig string) {
	t.Helper()
	home := t.TempDir()
	s, stop := run(t, Config{Home: home, Listen: "127.0.0.1:0", Version: "test"})
	t.Cleanup(stop)
	return s, filepath.Join(home, "kubeconfig")
}

// run starts a server that the test stops by itself.
func run(t testing.TB, c Config) (s *Server, stop func()) {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-ended:
		cancel()
		t.Fatalf("the server did not start: %v", err)
	case <-time.After(time.Minute):
		cancel()
		t.Fatal("the server was not ready after a minute")
	}
	return s, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	}
}

// clientConfig is what client-go makes of a kubeconfig.
func clientConfig(t testing.TB, kubeconfig string) *rest.Config {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}

// buildKubectl makes the real one, of the version that is served.
func buildKubectl(t testing.TB) string {
	t.Helper()
	const version = "-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2"
	path := filepath.Join(t.TempDir(), "kubectl")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", version, "-o", path, "leme/test/kubectl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func kubectl(t testing.TB, path, kubeconfig, stdin string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"--kubeconfig", kubeconfig, "--cache-dir", t.TempDir()}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
