package pull

import (
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/moby/moby/client"
)

// TestTheEngineIsNoRegistry: an engine that is away, or breaks off, is no registry out of reach.
func TestTheEngineIsNoRegistry(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	breaksOff := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })}
	go func() { _ = breaksOff.Serve(listener) }() // until it is closed
	defer breaksOff.Close()
	for _, path := range []string{socket, filepath.Join(t.TempDir(), "none")} {
		engine, err := client.New(client.WithHost("unix://"+path), client.WithAPIVersion("1.41"))
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Close()
		_, failed := engine.ImageTag(t.Context(), client.ImageTagOptions{Source: "sha256:12", Target: "registry.test/a:1"})
		if err := newError("registry.test/a:1", failed); failed == nil || errors.Is(err, ErrNetwork) || !errors.Is(err, failed) {
			t.Errorf("%v became %v", failed, err)
		}
	}
}
