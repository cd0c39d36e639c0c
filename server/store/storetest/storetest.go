// Package storetest starts stores over a real etcd for tests.
package storetest

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"leme/server/store"
)

// New starts a store over an embedded etcd that ends with the test.
func New(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, store.Config{DataDir: t.TempDir(), NoSync: true, Decode: Decode})
}

// Open starts a store that ends with the test, so that a test can start a second one on the same data.
func Open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	s, stop := Start(t, c)
	t.Cleanup(stop)
	return s
}

// Start starts a store that the test stops by itself, once; it fails when the store has ended with an error.
func Start(t testing.TB, c store.Config) (_ *store.Store, stop func()) {
	t.Helper()
	s, err := store.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-done:
		cancel()
		t.Fatalf("the store ended before it was ready: %v", err)
	}
	return s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the store ended with: %v", err)
		}
	}
}

// Decode reads any kind that client-go knows.
func Decode(_ schema.GroupResource, raw []byte) (runtime.Object, error) {
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil)
	return object, err
}
