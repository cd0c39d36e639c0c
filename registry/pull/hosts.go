package pull

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// hosts sends each request by the configuration of the host that it is for, also where a registry redirects it to.
type hosts struct {
	base *http.Transport
	tls  func(host string) *tls.Config // nil for what base has

	mu   sync.Mutex
	made map[string]*http.Transport
}

func newHosts(base *http.Transport, r *Registries) *hosts {
	return &hosts{base: base, tls: func(host string) *tls.Config { return r.config(host).tls }}
}

func (h *hosts) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h.transport(req.URL.Host).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(req.URL.Path, "/blobs/") {
		resp.Body = &bounded{ReadCloser: resp.Body, left: maxManifest}
	}
	return resp, nil
}

func (h *hosts) transport(host string) *http.Transport {
	own := h.tls(host)
	if own == nil {
		return h.base
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.made[host]
	if t == nil {
		t = h.base.Clone()
		t.TLSClientConfig = own
		if h.made == nil {
			h.made = map[string]*http.Transport{}
		}
		h.made[host] = t
	}
	return t
}

// close gives up the connections that nobody uses.
func (h *hosts) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.made {
		t.CloseIdleConnections()
	}
}

// maxManifest bounds what a registry answers besides blobs, in bytes; the distribution specification lets registries
// refuse larger manifests too.
const maxManifest = 4 << 20

// bounded fails a body that is too long.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("%w: more than %d bytes for a manifest", errAnswer, maxManifest)
	}
	return n, err
}

// overScheme sends what is for a host over http or https, whatever the name looks like.
type overScheme struct {
	http.RoundTripper
	host, scheme string
}

func (o overScheme) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == o.host && req.URL.Scheme != o.scheme {
		req = req.Clone(req.Context())
		req.URL.Scheme = o.scheme
	}
	return o.RoundTripper.RoundTrip(req)
}
