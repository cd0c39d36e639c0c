// Package loopback runs servers on the loopback for tests of several packages.
package loopback

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"leme/server"
)

const patience = time.Minute

// Server runs a whole server in this process, with an etcd of its own, until the test ends, and returns the file of its
// administrator's kubeconfig.
func Server(t testing.TB) (kubeconfig string) {
	t.Helper()
	home := t.TempDir()
	s, err := server.New(server.Config{Home: home, Listen: "127.0.0.1:0", Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	select {
	case <-s.Ready():
	case err := <-ended:
		ended <- err // for the clean-up
		t.Fatalf("the server did not start: %v", err)
	case <-time.After(patience):
		t.Fatal("the server was not ready in time")
	}
	return filepath.Join(home, "kubeconfig")
}

// Address is one, with a port, that nothing listens on now.
func Address(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
