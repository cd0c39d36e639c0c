package docker

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestVersionIsAskedOnce holds that a node's frequent look at its engine costs the engine next to nothing, and still
// sees at once that it is gone.
func TestVersionIsAskedOnce(t *testing.T) {
	var asked atomic.Int32
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/version") {
			asked.Add(1)
			fmt.Fprint(w, `{"Version":"20.10.24"}`)
		}
	}))
	defer engine.Close()
	r, err := New(Config{Host: "tcp://" + engine.Listener.Addr().String(), Node: "n"})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if got, err := r.Version(t.Context()); err != nil || got != "docker://20.10.24" {
			t.Fatalf("the version is %q, %v", got, err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the engine was asked for its version %d times", n)
	}
	engine.Close()
	if got, err := r.Version(t.Context()); err == nil {
		t.Errorf("an engine that is gone has version %s", got)
	}
}

func TestSecures(t *testing.T) {
	options := []string{"name=apparmor", "name=seccomp,profile=default"}
	for name, want := range map[string]bool{"apparmor": true, "seccomp": true, "selinux": false, "default": false} {
		if secures(options, name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
