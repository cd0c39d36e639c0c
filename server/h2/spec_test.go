package h2

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSpec has h2spec, which is of a module of its own, look for what RFC 9113 and RFC 7541 do not allow.
func TestSpec(t *testing.T) {
	program := filepath.Join(t.TempDir(), "h2spec")
	build := exec.CommandContext(t.Context(), "go", "build", "-C", "../../test/h2spec", "-o", program, "github.com/summerwind/h2spec/cmd/h2spec")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building h2spec: %v\n%s", err, out)
	}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "Whoever watches, sees.\n")
	}, nil)
	host, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	spec := exec.CommandContext(t.Context(), program, "--tls", "--insecure", "--strict", "--host", host, "--port", port)
	if out, err := spec.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
