package server

import (
	"context"
	"net"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// TestShutdownEndsWatches: a server that stops waits for requests but not for watches, and frees its port.
func TestShutdownEndsWatches(t *testing.T) {
	home := t.TempDir()
	s, err := New(Config{Home: home, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	<-s.Ready()
	client := kubernetes.NewForConfigOrDie(clientConfig(t, home+"/kubeconfig"))
	w, err := client.CoreV1().Pods("").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case e, ok := <-w.ResultChan():
		if ok {
			t.Errorf("the watch got %v", e)
		}
	case <-time.After(30 * time.Second):
		t.Error("the watch did not end")
	}
	if err := <-ended; err != nil {
		t.Errorf("the server ended with: %v", err)
	}
	if conn, err := net.Dial("tcp", s.listener.Addr().String()); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}

// TestCancelledBeforeItRuns: a server that is stopped at once leaves nothing behind either.
func TestCancelledBeforeItRuns(t *testing.T) {
	s, err := New(Config{Home: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}
