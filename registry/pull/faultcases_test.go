package pull

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func isBlob(r *http.Request) bool { return strings.Contains(r.URL.Path, "/blobs/") }
func isManifest(r *http.Request) bool {
	return strings.Contains(r.URL.Path, "/manifests/") && r.Method != http.MethodPut
}

// TestFaults pulls a healthy image from registries that misbehave. In the end nothing half done is left in the engine.
func TestFaults(t *testing.T) {
	e := engine(t)
	answer := func(which func(*http.Request) bool, status int, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !which(r) {
				return false
			}
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			return true
		}
	}
	// twice lets a fault happen for the first two layer requests only.
	twice := func(fault func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
		var n atomic.Int32
		return func(w http.ResponseWriter, r *http.Request) bool {
			return isBlob(r) && r.Header.Get("Range") != "" && n.Add(1) <= 2 && fault(w, r)
		}
	}
	for _, c := range []struct {
		name  string
		fault func(w http.ResponseWriter, r *http.Request) bool
		kind  error  // of the pull's error
		text  string // in it; empty for a pull that succeeds
	}{
		{"manifest 401", answer(isManifest, 401), ErrDenied, "401 Unauthorized"},
		{"manifest 403", answer(isManifest, 403), ErrDenied, "403 Forbidden"},
		{"manifest 404", answer(isManifest, 404), ErrNotFound, "404 Not Found"},
		{"manifest 418", answer(isManifest, 418), nil, "418"},
		{"manifest 429", answer(isManifest, 429), ErrNetwork, "429 Too Many Requests"},
		{"manifest 500", answer(isManifest, 500), ErrNetwork, "500"},
		{"huge manifest", func(w http.ResponseWriter, r *http.Request) bool {
			if !isManifest(r) {
				return false
			}
			w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
			_, _ = w.Write(bytes.Repeat([]byte(" "), 3<<20))
			_, _ = w.Write(bytes.Repeat([]byte(" "), 3<<20))
			return true
		}, nil, "more than 4194304 bytes for a manifest"},
		{"manifest is no JSON", func(w http.ResponseWriter, r *http.Request) bool {
			if isManifest(r) {
				w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
				_, _ = io.WriteString(w, "<html>")
			}
			return isManifest(r)
		}, nil, "invalid character"},
		{"layer 404", func(w http.ResponseWriter, r *http.Request) bool {
			return r.Header.Get("Range") != "" && answer(isBlob, 404)(w, r)
		}, ErrNotFound, "404"},
		{"layer 403", func(w http.ResponseWriter, r *http.Request) bool {
			return r.Header.Get("Range") != "" && answer(isBlob, 403)(w, r)
		}, ErrDenied, "403"},
		{"layer 503 for ever", func(w http.ResponseWriter, r *http.Request) bool {
			return r.Header.Get("Range") != "" && answer(isBlob, 503)(w, r)
		}, ErrNetwork, "503"},
		{"layer 503 twice", twice(answer(isBlob, 503)), nil, ""},
		{"layer 429 twice, with a pause", twice(answer(isBlob, 429, "Retry-After", "1")), nil, ""},
		{"another range than asked for", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				r.Header.Set("Range", "bytes=1-2")
			}
			return false
		}, nil, "unexpected answer: asked for bytes"},
		{"a slow loris", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") == "" {
				return false
			}
			var from, to int
			_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, 10<<20))
			w.WriteHeader(http.StatusPartialContent)
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte{0}); err != nil || http.NewResponseController(w).Flush() != nil {
					break
				}
				select {
				case <-r.Context().Done():
				case <-time.After(5 * time.Millisecond):
				}
			}
			return true
		}, ErrNetwork, "next to nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, host := newFaults(t)
			img := makeImage(t, e, makeLayer(t, 5<<20, compression.GZip))
			ref := push(t, e, img, "%s/leme-test/faults:1", host)
			f.set(func(f *faults) { f.before = c.fault })
			p := startPuller(t, e)
			p.retryWait, p.stall = time.Millisecond, 20*time.Millisecond
			got, err := p.Pull(t.Context(), ref, nil, nil)
			if c.text == "" {
				must(t, err)
				wantImage(t, p, e, ref, img, got)
				return
			}
			var failed *Error
			if !errors.As(err, &failed) || !errors.Is(failed.Kind, c.kind) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v of kind %v, want %v with %q", err, failed.Kind, c.kind, c.text)
			}
			if _, err := e.ImageInspect(t.Context(), configName(t, img)); err == nil {
				t.Error("the engine has the image")
			}
		})
	}
}

// TestRedirects sends layers' requests to another host, as registries with a content network do: credentials stay.
func TestRedirects(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 5<<20, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/redirected:1", host)
	var told atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			told.Store(true)
		}
		f.next.ServeHTTP(w, r)
	}))
	t.Cleanup(other.Close)
	f.set(func(f *faults) {
		f.user = "anna"
		f.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
			}
			return r.Header.Get("Range") != ""
		}
	})
	p := startPuller(t, e)
	secret := []Secret{{DockerConfigJSON: fmt.Appendf(nil, `{"auths":{%q:{"username":"anna","password":"x"}}}`, host)}}
	got, err := p.Pull(t.Context(), ref, secret, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
	if told.Load() {
		t.Error("another host was told the password")
	}
}

// lying is an image whose manifest was changed.
type lying struct {
	v1.Image
	change func(m *v1.Manifest)
}

func (l lying) Manifest() (*v1.Manifest, error) {
	m, err := l.Image.Manifest()
	if err != nil {
		return nil, err
	}
	m = m.DeepCopy()
	l.change(m)
	return m, nil
}

func (l lying) RawManifest() ([]byte, error) {
	m, err := l.Manifest()
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

func (l lying) Digest() (v1.Hash, error) {
	raw, err := l.RawManifest()
	if err != nil {
		return v1.Hash{}, err
	}
	h, _, err := v1.SHA256(bytes.NewReader(raw))
	return h, err
}

// TestBadImages pulls images that are not what they say.
func TestBadImages(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	p := startPuller(t, e)
	p.retryWait = time.Millisecond
	good := func() v1.Image { return makeImage(t, e, makeLayer(t, 5<<20, compression.GZip)) }
	zstd := func() v1.Image { return makeImage(t, e, makeLayer(t, 50_000, compression.ZStd)) }
	for _, c := range []struct {
		name   string
		img    v1.Image
		change func(m *v1.Manifest)
		text   string // of the error; empty where the pull succeeds
	}{
		{"layer smaller than said", good(), func(m *v1.Manifest) { m.Layers[0].Size += 1000 }, "size"},
		{"layer larger than said", good(), func(m *v1.Manifest) { m.Layers[0].Size -= 1000 }, "is corrupt"},
		{"layer of negative size", good(), func(m *v1.Manifest) { m.Layers[0].Size = -1 }, "size -1"},
		{"huge configuration", good(), func(m *v1.Manifest) { m.Config.Size = 1 << 40 }, "configuration has 1099511627776 bytes"},
		{"too many layers", good(), func(m *v1.Manifest) {
			for len(m.Layers) <= maxLayers {
				m.Layers = append(m.Layers, m.Layers[0])
			}
		}, "1001 layers"},
		{"fewer layers than the configuration", good(), func(m *v1.Manifest) { m.Layers = nil }, "not an image that can run"},
		{"zstd that is called gzip", zstd(), func(m *v1.Manifest) { m.Layers[0].MediaType = types.OCILayer }, ""},
	} {
		for _, busy := range []bool{false, true} { // layers go to the engine unpacked, or as they are
			t.Run(fmt.Sprintf("%s %v", c.name, busy), func(t *testing.T) {
				p.lines.busy = map[string]bool{host: busy}
				bad := lying{c.img, c.change}
				ref := fmt.Sprintf("%s/leme-test/bad-%v:1", host, busy)
				t.Cleanup(func() { forget(e, ref) })
				putRaw(t, ref, bad)
				_, err := p.Pull(t.Context(), ref, nil, nil)
				if c.text == "" {
					must(t, err)
				} else if err == nil || !strings.Contains(err.Error(), c.text) {
					t.Errorf("error %v, want %q", err, c.text)
				}
			})
		}
	}
}

// putRaw puts an image's parts into a registry, then whatever its manifest is.
func putRaw(t *testing.T, ref string, img lying) {
	t.Helper()
	parsed, err := name.ParseReference(ref)
	must(t, err)
	must(t, remote.Write(parsed, img.Image))
	raw, err := img.RawManifest()
	must(t, err)
	must(t, remote.Put(parsed, rawManifest{raw, types.OCIManifestSchema1}))
}

type rawManifest struct {
	raw  []byte
	kind types.MediaType
}

func (r rawManifest) RawManifest() ([]byte, error)        { return r.raw, nil }
func (r rawManifest) MediaType() (types.MediaType, error) { return r.kind, nil }

// TestNestedIndexes follows an index in an index, and not any number of them.
func TestNestedIndexes(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	p := startPuller(t, e)
	img := makeImage(t, e, makeLayer(t, 1000, compression.GZip))
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})
	for depth := 1; depth <= maxIndexes; depth++ {
		ref := fmt.Sprintf("%s/leme-test/nested:%d", host, depth)
		parsed, err := name.ParseReference(ref)
		must(t, err)
		must(t, remote.WriteIndex(parsed, index))
		t.Cleanup(func() { forget(e, ref) })
		_, err = p.Pull(t.Context(), ref, nil, nil)
		if depth < maxIndexes && err != nil || depth == maxIndexes && (err == nil || !strings.Contains(err.Error(), "indexes in each other")) {
			t.Errorf("depth %d: %v", depth, err)
		}
		index = mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index})
	}
}

// TestEscapingLayer: what a layer's paths lead to outside of the image is left alone.
func TestEscapingLayer(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	p := startPuller(t, e)
	outside := filepath.Join(t.TempDir(), "escaped")
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	w := tar.NewWriter(zip)
	must(t, w.WriteHeader(&tar.Header{Name: "out", Linkname: filepath.Dir(outside), Typeflag: tar.TypeSymlink, Mode: 0o777}))
	for _, path := range []string{"out/escaped", strings.Repeat("../", 40) + outside} {
		must(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: 1}))
		_, err := w.Write([]byte("x"))
		must(t, err)
	}
	must(t, w.Close())
	must(t, zip.Close())
	ref := push(t, e, makeImage(t, e, unpackable{static.NewLayer(packed.Bytes(), types.OCILayer)}), "%s/leme-test/escaping:1", host)
	_, err := p.Pull(t.Context(), ref, nil, nil)
	if _, found := os.Stat(outside); found == nil {
		t.Error("a layer wrote outside of its image")
	}
	t.Logf("the engine says %v", err)
}

// unpackable gives a static layer its diffID.
type unpackable struct{ v1.Layer }

func (u unpackable) Uncompressed() (io.ReadCloser, error) {
	packed, err := u.Compressed()
	if err != nil {
		return nil, err
	}
	return gzip.NewReader(packed)
}

func (u unpackable) DiffID() (v1.Hash, error) {
	content, err := u.Uncompressed()
	if err != nil {
		return v1.Hash{}, err
	}
	h, _, err := v1.SHA256(content)
	return h, err
}

// TestMirrorBreaksOff: a mirror that gives the manifest and then no layers is left for the registry itself.
func TestMirrorBreaksOff(t *testing.T) {
	e := engine(t)
	broken, mirror := newFaults(t)
	_, host := newFaults(t)
	l := makeLayer(t, 5<<20, compression.GZip)
	img := makeImage(t, e, l)
	push(t, e, img, "%s/leme-test/breaks:1", mirror)
	ref := push(t, e, img, "%s/leme-test/breaks:1", host)
	broken.set(func(f *faults) {
		f.before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusBadGateway)
			}
			return r.Header.Get("Range") != ""
		}
	})
	file := filepath.Join(t.TempDir(), "registries.yaml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, "mirrors:\n  %q:\n    endpoint: [\"http://%s\"]\n", host, mirror), 0o600))
	p := startPuller(t, e, func(c *Config) { c.Registries = file })
	p.retryWait = time.Millisecond
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
}

// TestCancelOne has two pods wait for an image: one goes, the other gets it.
func TestCancelOne(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 9<<20, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/two:1", host)
	release := make(chan struct{})
	waiting := make(chan struct{}, 100)
	f.set(func(f *faults) {
		f.before = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				waiting <- struct{}{}
				select {
				case <-release:
				case <-r.Context().Done():
				}
			}
			return false
		}
	})
	p := startPuller(t, e)
	first, cancel := context.WithCancel(t.Context())
	gone, stays := make(chan error, 1), make(chan error, 1)
	go func() { _, err := p.Pull(first, ref, nil, nil); gone <- err }()
	<-waiting
	var got Result
	go func() {
		var err error
		got, err = p.Pull(t.Context(), ref, nil, nil)
		stays <- err
	}()
	p.loopback.until(func(offers int) bool { return offers == 2 })
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}
	close(release)
	must(t, <-stays)
	wantImage(t, p, e, ref, img, got)
	if all := f.asked("/manifests/1"); all != 2 {
		t.Errorf("%d manifests asked for", all)
	}
}
