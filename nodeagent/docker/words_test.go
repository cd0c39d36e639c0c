package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// engineThat serves the answer of an engine, and gives a client of it.
func engineThat(t *testing.T, answer http.HandlerFunc) *client.Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: answer}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() { server.Close() })
	return clientOf(t, socket)
}

func clientOf(t *testing.T, socket string) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost("unix://"+socket), client.WithAPIVersion("1.41"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func refuses(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message":%q}`, message)
	}
}

// TestErrorsInWords: what each error of the engine is in a pod's events.
func TestErrorsInWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status  int
		message string
		want    string
	}{
		{500, "something else", "something else"},
		{400, "Minimum memory limit allowed is 6MB.", "Minimum memory limit allowed is 6MB."},
		{400, `OCI runtime create failed: runc create failed: unable to start container process: exec: "/nothing": stat /nothing: no such file or directory: unknown`,
			`exec: "/nothing": stat /nothing: no such file or directory`},
		{400, `failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "x": executable file not found in $PATH: unknown`,
			`exec: "x": executable file not found in $PATH`},
		{500, `OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: Running hook #0:: error running hook: exit status 1: unknown`,
			`process_linux.go:545: container init caused: Running hook #0:: error running hook: exit status 1`},
		{500, "driver failed programming external connectivity on endpoint leme_POD_web_default_1_0 (5f0a): Bind for 0.0.0.0:8080 failed: port is already allocated",
			"port 8080 of the host is already taken by another container"},
		{500, "driver failed programming external connectivity on endpoint leme_POD_web_default_1_0 (5f0a): Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use",
			"port 80/tcp of the host is already taken"},
		{409, `Conflict. The container name "/leme_c_web_default_1_0" is already in use by container "5f0a". You have to remove (or rename) that container to be able to reuse that name.`,
			"there is a container leme_c_web_default_1_0 already"},
		{409, "cannot join network of a non running container: 5f0a", "the pod's sandbox has ended"},
		{404, "No such container: 5f0a", "the container is not there any more"},
		{404, "No such image: sha256:12", "image sha256:12 is not on the node any more"},
		{404, "network leme not found", "the engine has no network leme"},
		{400, `invalid mount config for type "bind": bind source path does not exist: /data`, "/data is to be mounted, and does not exist"},
		{500, "mkdir /var/lib/docker/overlay2/5f0a-init: no space left on device", "the engine has no space left on its disk"},
		{400, "Unknown runtime specified kata", "the engine has no runtime kata"},
		{409, "Container 5f0a is not running", "the container is not running"},
	} {
		_, err := engineThat(t, refuses(tc.status, tc.message)).ContainerStart(t.Context(), "id", client.ContainerStartOptions{})
		got := InWords(fmt.Errorf("starting container: %w", err))
		if got.Error() != "starting container: "+tc.want {
			t.Errorf("%s\nis told as %s", tc.message, got)
		}
		if !errors.Is(got, err) || errdefs.IsNotFound(got) != (tc.status == http.StatusNotFound) || errdefs.IsConflict(got) != (tc.status == http.StatusConflict) {
			t.Errorf("%s is another error now", got)
		}
	}
}

// TestSilenceInWords: an engine that is not there, hangs or breaks off.
func TestSilenceInWords(t *testing.T) {
	t.Parallel()
	hangs := make(chan struct{})
	defer close(hangs)
	for what, tc := range map[string]struct {
		engine *client.Client
		want   string
	}{
		"no socket": {clientOf(t, filepath.Join(t.TempDir(), "none")), "the container engine does not answer"},
		"no answer": {engineThat(t, func(http.ResponseWriter, *http.Request) { <-hangs }), "the container engine did not answer in time"},
		"a cut line": {engineThat(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
			"the container engine broke off before it had answered"},
		"half an answer": {engineThat(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"Id":`)
		}), "the container engine broke off before it had answered"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		if what == "no answer" {
			ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
		}
		_, err := tc.engine.ContainerCreate(ctx, client.ContainerCreateOptions{Name: "c", Image: "i"})
		cancel()
		got := InWords(errors.Join(fmt.Errorf("creating container: %w", err)))
		if got.Error() != "creating container: "+tc.want {
			t.Errorf("%s: %v\nis told as %s", what, err, got)
		}
	}
}

// TestCutSessionInWords: a line that is read as it comes, and not by the engine's client.
func TestCutSessionInWords(t *testing.T) {
	t.Parallel()
	cut := &net.OpError{Op: "read", Net: "unix", Addr: &net.UnixAddr{Name: "/run/docker.sock", Net: "unix"}, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	if got := InWords(fmt.Errorf("starting exec: %w", cut)).Error(); got != "starting exec: the container engine broke off before it had answered" {
		t.Errorf("%v is told as %s", cut, got)
	}
}

func TestOnlyTheEnginesErrorsAreReworded(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, errors.New("the node has no pod network"), fmt.Errorf("name server: %w", net.InvalidAddrError("x")), context.Canceled} {
		if got := InWords(err); !errors.Is(got, err) || err != nil && got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
}
