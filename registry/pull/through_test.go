package pull

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// startThrough serves a Through whose hub.test is at host, as a cluster's registry does.
func startThrough(t *testing.T, host string, change ...func(*ThroughConfig)) (*Through, ClusterRegistry) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "registries.yaml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, "mirrors:\n  hub.test:\n    endpoint: [\"http://%s\"]\n    default_endpoint: false\n", host), 0o600))
	cfg := ThroughConfig{Dir: t.TempDir(), Registries: file}
	for _, c := range change {
		c(&cfg)
	}
	th, err := NewThrough(cfg)
	must(t, err)
	th.retryWait = time.Millisecond
	s := httptest.NewTLSServer(th)
	t.Cleanup(s.Close)
	tlsConfig := s.Client().Transport.(*http.Transport).TLSClientConfig
	return th, ClusterRegistry{Host: "registry.leme", Addr: strings.TrimPrefix(s.URL, "https://"), TLS: tlsConfig}
}

// throughImage reads an image of hub.test as a node does.
func throughImage(t *testing.T, c ClusterRegistry, path string) (v1.Image, error) {
	t.Helper()
	ref, err := name.ParseReference(c.Host + "/" + path)
	must(t, err)
	rt := withQuery{newClusterTransport(newTransport(), c), url.Values{ThroughParameter: {"hub.test"}}}
	return remote.Image(ref, remote.WithTransport(rt))
}

// TestThroughOnce has ten nodes ask for an image at once: it comes over the line once.
func TestThroughOnce(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	layers := []v1.Layer{makeLayer(t, 9<<20, compression.GZip), makeLayer(t, 1000, compression.GZip)}
	img := makeImage(t, e, layers...)
	push(t, e, img, "%s/leme-test/through:1", host)
	th, cluster := startThrough(t, host)
	f.set(func(f *faults) { f.cutAfter = 1 << 20 })
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			got, err := throughImage(t, cluster, "leme-test/through:1")
			if err != nil {
				t.Error(err)
				return
			}
			all, err := got.Layers()
			if err != nil {
				t.Error(err)
			}
			for _, l := range all {
				packed, err := l.Compressed() // which checks the digest
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, packed); err != nil {
					t.Error(err)
				}
				packed.Close()
			}
		})
	}
	wg.Wait()
	for _, l := range layers {
		if d, size := digestOf(t, l); f.sentOf(d) != size {
			t.Errorf("%d bytes sent of %s, which has %d", f.sentOf(d), d, size)
		}
	}
	if n := f.asked("/manifests/1"); n != 1 {
		t.Errorf("the tag was asked for %d times", n)
	}
	f.set(func(f *faults) { f.down = true })
	for key, known := range th.tags.all {
		th.tags.put(key, known.value, nil, -time.Second)
	}
	if _, err := throughImage(t, cluster, "leme-test/through:1"); err != nil {
		t.Errorf("after the registry has gone: %v", err)
	}
}

// TestThroughPull pulls over the cluster's registry, in pieces that come while it downloads itself.
func TestThroughPull(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	l := makeLayer(t, 20<<20, compression.GZip)
	img := makeImage(t, e, l)
	push(t, e, img, "%s/leme-test/node:1", host)
	_, cluster := startThrough(t, host)
	file := filepath.Join(t.TempDir(), "registries.yaml")
	must(t, os.WriteFile(file, []byte("mirrors:\n  hub.test: {pull_through: true}\n"), 0o600))
	p := startPuller(t, e, func(c *Config) { c.Cluster, c.Registries = cluster, file })
	const ref = "hub.test/leme-test/node:1"
	t.Cleanup(func() { forget(e, ref) })
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
	if d, size := digestOf(t, l); f.sentOf(d) != size {
		t.Errorf("%d bytes sent of %d", f.sentOf(d), size)
	}
	if !p.MayUse(got.ImageID, ref, nil) {
		t.Error("what came without credentials is not open to all")
	}
}

// TestThroughPrivate: what needs credentials does not go through, and is pulled with them from its registry.
func TestThroughPrivate(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 1000, compression.GZip))
	push(t, e, img, "%s/leme-test/private:1", host)
	f.set(func(f *faults) { f.user = "anna" })
	th, cluster := startThrough(t, host)
	file := filepath.Join(t.TempDir(), "registries.yaml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, "mirrors:\n  hub.test: {pull_through: true, default_endpoint: false, endpoint: [\"http://%s\"]}\n", host), 0o600))
	p := startPuller(t, e, func(c *Config) { c.Cluster, c.Registries = cluster, file })
	const ref = "hub.test/leme-test/private:1"
	t.Cleanup(func() { forget(e, ref) })
	secret := []Secret{{DockerConfigJSON: fmt.Appendf(nil, `{"auths":{%q:{"username":"anna","password":"x"}}}`, host)}}
	_, err := p.Pull(t.Context(), ref, secret, nil)
	must(t, err)
	for _, c := range []*cache{th.blobs, th.manifests.cache} {
		if all, _, err := c.list(); err != nil || len(all) > 0 {
			t.Errorf("the cluster's registry keeps %v, %v", all, err)
		}
	}
}

// TestThroughNext: what one place does not have, or cannot give, comes from the next, in the order of the file.
func TestThroughNext(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	l := makeLayer(t, 1000, compression.GZip)
	img := makeImage(t, e, l)
	push(t, e, img, "%s/leme-test/next:1", host)
	d, _ := digestOf(t, l)
	var asked []string
	var mu sync.Mutex
	broken := func(name string, answer func(w http.ResponseWriter, r *http.Request)) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				mu.Lock()
				asked = append(asked, name)
				mu.Unlock()
				answer(w, r)
			}
		}))
		t.Cleanup(s.Close)
		return "http://" + s.Listener.Addr().String()
	}
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	file := filepath.Join(t.TempDir(), "registries.yaml")
	places := []string{broken("empty", status(http.StatusNotFound)), broken("ill", status(http.StatusInternalServerError)), "http://" + host, broken("last", status(http.StatusTeapot))}
	must(t, os.WriteFile(file, fmt.Appendf(nil, "mirrors:\n  hub.test:\n    endpoint: [%q, %q, %q, %q]\n    default_endpoint: false\n", places[0], places[1], places[2], places[3]), 0o600))
	_, cluster := startThrough(t, host, func(c *ThroughConfig) { c.Registries = file })
	got, err := throughImage(t, cluster, "leme-test/next:1")
	must(t, err)
	layers, err := got.Layers()
	must(t, err)
	packed, err := layers[0].Compressed()
	must(t, err)
	_, err = io.Copy(io.Discard, packed)
	must(t, err)
	if digest, _ := layers[0].Digest(); digest.String() != d {
		t.Errorf("got %s, not %s", digest, d)
	}
	mu.Lock()
	defer mu.Unlock()
	if i := slices.Index(asked, "ill"); i < 0 || slices.Index(asked, "empty") > i || slices.Contains(asked, "last") {
		t.Errorf("asked were %v", asked)
	}
}

// TestThroughRefuses what is no image of the outside world.
func TestThroughRefuses(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	large := makeLayer(t, 3000, compression.GZip)
	push(t, e, makeImage(t, e, large), "%s/leme-test/near:1", host)
	th, _ := startThrough(t, host, func(c *ThroughConfig) { c.Limit = 1000 })
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/v2/leme-test/near/manifests/1?ns=" + host, http.StatusNotFound},
		{http.MethodGet, "/v2/leme-test/near/manifests/1?ns=localhost", http.StatusNotFound},
		{http.MethodGet, "/v2/leme-test/near/manifests/1?ns=169.254.169.254", http.StatusNotFound},
		{http.MethodGet, "/v2/leme-test/near/manifests/1?ns=metadata.internal", http.StatusNotFound},
		{http.MethodGet, "/v2/leme-test/near/manifests/2?ns=hub.test", http.StatusNotFound},
		{http.MethodGet, "/v2/../../x/manifests/2?ns=hub.test", http.StatusNotFound},
		{http.MethodGet, "/v2/leme-test/near/manifests/sha256:12?ns=hub.test", http.StatusNotFound},
		{http.MethodPut, "/v2/leme-test/near/manifests/1?ns=hub.test", http.StatusMethodNotAllowed},
		{http.MethodGet, "/v2/?ns=hub.test", http.StatusOK},
		{http.MethodHead, "/v2/leme-test/near/manifests/1?ns=hub.test", http.StatusOK},
		{http.MethodGet, "/v2/leme-test/near/blobs/sha256:" + strings.Repeat("0", 64) + "?ns=hub.test", http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		th.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, w.Code, w.Body, c.status)
		}
	}
	d, size := digestOf(t, large)
	w := httptest.NewRecorder()
	th.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/leme-test/near/blobs/"+d+"?ns=hub.test", nil))
	if w.Code != http.StatusBadGateway || f.sentOf(d) > 0 {
		t.Errorf("a blob of %d bytes where 1000 are kept: %d %s", size, w.Code, w.Body)
	}
	if err := outsideOnly("tcp", "10.1.2.3:443", nil); err == nil {
		t.Error("a private address counts as the outside world")
	}
	if err := outsideOnly("tcp", "[::ffff:127.0.0.1]:443", nil); err == nil {
		t.Error("a loopback address counts as the outside world")
	}
	must(t, outsideOnly("tcp", "8.8.8.8:443", nil))
}
