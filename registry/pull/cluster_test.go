package pull

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"leme/registry"
)

// TestClusterRegistry pulls registry.leme/… from the cluster's own registry, over TLS at an address of its own, and
// sees that the engine can take what the registry gives in ranges.
func TestClusterRegistry(t *testing.T) {
	e := engine(t)
	r, err := registry.New(registry.Config{Dir: t.TempDir()})
	must(t, err)
	s := httptest.NewTLSServer(r)
	t.Cleanup(s.Close)
	tlsConfig := s.Client().Transport.(*http.Transport).TLSClientConfig
	p := startPuller(t, e, func(c *Config) {
		c.Cluster = ClusterRegistry{Host: "registry.leme", Addr: strings.TrimPrefix(s.URL, "https://"), TLS: tlsConfig}
	})
	img := makeImage(t, e, makeLayer(t, 9<<20, compression.GZip), makeLayer(t, 100, compression.GZip))
	ref := fmt.Sprintf("registry.leme/leme-test/own:%d", os.Getpid())
	parsed, err := name.ParseReference(ref)
	must(t, err)
	must(t, remote.Write(parsed, img, remote.WithTransport(p.cluster)))
	t.Cleanup(func() {
		forget(e, ref)
	})
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
}

// TestUnpacked reads layers of each packing back.
func TestUnpacked(t *testing.T) {
	for _, packing := range []compression.Compression{compression.GZip, compression.ZStd} {
		l := makeLayer(t, 100_000, packing)
		packed, err := l.Compressed()
		must(t, err)
		file, err := os.CreateTemp(t.TempDir(), "")
		must(t, err)
		_, err = file.ReadFrom(packed)
		must(t, err)
		_, err = file.Seek(0, 0)
		must(t, err)
		var tar bytes.Buffer
		must(t, copyUnpacked(&tar, file))
		must(t, file.Close())
		want, err := l.DiffID()
		must(t, err)
		got, _, err := v1.SHA256(&tar)
		must(t, err)
		if got != want {
			t.Errorf("%s: unpacked to %s, want %s", packing, got, want)
		}
	}
}
