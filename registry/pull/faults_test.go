package pull

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// faults is a registry that misbehaves on request, and counts what it sends.
type faults struct {
	next http.Handler

	mu       sync.Mutex
	cutAfter int  // bytes of each answer before the connection breaks
	noRanges bool // Range is ignored
	corrupt  bool // one byte of each layer is wrong
	user     string
	stopAt   int            // bytes of blobs in all after which further requests hang
	sent     map[string]int // bytes of each blob that went out
	down     bool           // every connection is closed
	paths    []string       // of the GET requests
	// before may answer a request in the registry's place, or change it; it reports whether it has answered.
	before  func(w http.ResponseWriter, r *http.Request) bool
	hanging chan struct{} // gets a value when a request hangs, when there is room
}

// lineHolds is for how many bytes the registry's end of a connection has room: what was sent has nearly all arrived.
const lineHolds = 64 << 10

func newFaults(t testing.TB) (*faults, string) {
	f := &faults{
		next: registry.New(registry.Logger(log.New(io.Discard, "", 0))),
		sent: map[string]int{}, hanging: make(chan struct{}, 1),
	}
	s := httptest.NewUnstartedServer(f)
	s.Config.ConnState = func(c net.Conn, to http.ConnState) {
		if to == http.StateNew {
			_ = c.(*net.TCPConn).SetWriteBuffer(lineHolds)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return f, strings.TrimPrefix(s.URL, "http://")
}

// set changes how the registry behaves.
func (f *faults) set(change func(f *faults)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *faults) sentOf(digest string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[digest]
}

// asked counts the GET requests whose path ends so.
func (f *faults) asked(suffix string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.paths {
		if strings.HasSuffix(p, suffix) {
			n++
		}
	}
	return n
}

func (f *faults) total() (n int) {
	for _, sent := range f.sent {
		n += sent
	}
	return n
}

func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if f.down {
		f.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	if r.Method == http.MethodGet {
		f.paths = append(f.paths, r.URL.Path)
	}
	user, before := f.user, f.before
	hang := f.stopAt > 0 && f.total() > f.stopAt
	cut := &cutWriter{ResponseWriter: w, f: f, left: f.cutAfter, limited: f.cutAfter > 0, corrupt: f.corrupt}
	if f.noRanges {
		r.Header.Del("Range")
	}
	f.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	if name, _, _ := r.BasicAuth(); user != "" && name != user {
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
		return
	}
	_, digest, isBlob := strings.Cut(r.URL.Path, "/blobs/")
	if r.Method != http.MethodGet || !isBlob {
		f.next.ServeHTTP(w, r)
		return
	}
	if hang {
		select {
		case f.hanging <- struct{}{}:
		default:
		}
		<-r.Context().Done()
		return
	}
	cut.digest = digest
	f.next.ServeHTTP(cut, r)
	if cut.limited && cut.left == 0 {
		panic(http.ErrAbortHandler)
	}
}

// cutWriter lets so many bytes of an answer through.
type cutWriter struct {
	http.ResponseWriter
	f       *faults
	digest  string
	left    int
	limited bool
	corrupt bool
}

func (c *cutWriter) Write(p []byte) (int, error) {
	all := len(p)
	if c.limited {
		p = p[:min(len(p), c.left)]
		c.left -= len(p)
	}
	if c.corrupt && len(p) > 1000 {
		p = append([]byte(nil), p...)
		p[len(p)/2] ^= 1
		c.corrupt = false
	}
	n, err := c.ResponseWriter.Write(p)
	c.f.mu.Lock()
	c.f.sent[c.digest] += n
	c.f.mu.Unlock()
	if flush, ok := c.ResponseWriter.(http.Flusher); ok && c.limited {
		flush.Flush()
	}
	if err == nil && n < all {
		return n, io.ErrShortWrite
	}
	return n, err
}
