// Package tap stands between an agent and its engine, counts the calls and does harm to one of them: the agent dies
// before the engine hears of it, or before the agent hears the answer; the engine refuses, is slow, or breaks off.
//
//	tapped := tap.New(t, "unix:///var/run/docker.sock", tap.Here)
//	tapped.Set(func(c tap.Call) tap.Harm { … })
//	runtime, err := docker.New(docker.Config{Host: tapped.Host()})
package tap

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Call is a call of the engine's API.
type Call struct {
	Kind string // the method and the path, with no IDs: "POST /containers/ID/start"
	Nth  int    // of its kind, from 1
}

func (c Call) String() string { return fmt.Sprintf("%s #%d", c.Kind, c.Nth) }

// Harm is what happens to a call. The zero Harm is none.
type Harm struct {
	Before func()        // instead of passing the call on; then the line is cut
	After  func()        // once the engine has answered, before the agent hears of it; then the line is cut
	Refuse bool          // the engine answers that it has failed
	Cut    bool          // the answer breaks off in the middle
	Late   time.Duration // before it is passed on
}

// Tap is one.
type Tap struct {
	socket string
	proxy  http.Handler

	mu    sync.Mutex
	calls []Call
	count map[string]int
	harm  func(Call) Harm
	lines map[net.Conn]bool
}

// Here listens in this process.
func Here(t testing.TB, path string) net.Listener {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// New makes a tap before the engine at host, which is a unix socket; it is gone when the test ends. listen says how its
// own socket is listened on.
func New(t testing.TB, host string, listen func(t testing.TB, path string) net.Listener) *Tap {
	t.Helper()
	address, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		t.Skip("the engine is not reached over a unix socket")
	}
	dir, err := os.MkdirTemp("", "leme-tap-") // short: a socket's path has few characters
	if err != nil {
		t.Fatal(err)
	}
	tap := &Tap{socket: filepath.Join(dir, "tap.sock"), count: map[string]int{}, lines: map[net.Conn]bool{}, proxy: proxyTo(address)}
	listener := listen(t, tap.socket)
	server := &http.Server{Handler: tap, ErrorLog: quiet, ConnState: tap.note}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() {
		server.Close()
		os.RemoveAll(dir)
	})
	return tap
}

func proxyTo(socket string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
			DisableKeepAlives: true, DisableCompression: true,
		},
		FlushInterval:  -1,
		ModifyResponse: answered,
		ErrorLog:       quiet,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

// Host is the engine as clients of the tap name it.
func (t *Tap) Host() string { return "unix://" + t.socket }

// Set says what happens to calls from now on, and begins to count anew. Nil harms none.
func (t *Tap) Set(harm func(Call) Harm) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.harm, t.calls = harm, nil
	clear(t.count)
}

// note keeps the lines that are open, those of sessions too.
func (t *Tap) note(line net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch state {
	case http.StateNew:
		t.lines[line] = true
	case http.StateClosed:
		delete(t.lines, line)
	}
}

// Sever cuts every line that is open: the stream of events, and all calls under way.
func (t *Tap) Sever() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range t.lines {
		line.Close()
	}
	clear(t.lines)
}

// Calls are those since the last Set, in order.
func (t *Tap) Calls() []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Call(nil), t.calls...)
}

func (t *Tap) next(r *http.Request) Harm {
	kind := kindOf(r)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[kind]++
	c := Call{kind, t.count[kind]}
	t.calls = append(t.calls, c)
	if t.harm == nil {
		return Harm{}
	}
	return t.harm(c)
}

// What tells calls of a kind apart: the API's version, and the IDs and names of things.
var (
	version = regexp.MustCompile(`^/v[0-9.]+/`)
	things  = regexp.MustCompile(`^/(containers|images|networks|exec|volumes|distribution)/(.+?)(/(?:start|stop|kill|wait|json|exec|resize|attach|logs|stats|update|top|archive|history|tag|push|get|connect|disconnect|rename))?$`)
)

func kindOf(r *http.Request) string {
	path := version.ReplaceAllString(r.URL.Path, "/")
	if whole := map[string]bool{"/containers/json": true, "/containers/create": true, "/images/json": true, "/images/create": true,
		"/images/load": true, "/networks/create": true}; !whole[path] {
		path = things.ReplaceAllString(path, "/$1/ID$3")
	}
	return r.Method + " " + path
}
