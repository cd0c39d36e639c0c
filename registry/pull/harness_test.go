package pull

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/moby/moby/client"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// engine connects to the machine's Docker Engine, or skips the test where there is none.
func engine(t testing.TB) *client.Client {
	t.Helper()
	c, err := client.New(client.FromEnv)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	if _, err := c.Ping(t.Context(), client.PingOptions{}); err != nil {
		t.Skipf("no Docker Engine: %v", err)
	}
	return c
}

// startPuller runs a puller until the test ends.
func startPuller(t testing.TB, e Engine, change ...func(*Config)) *Puller {
	t.Helper()
	cfg := Config{CacheDir: t.TempDir(), Engine: e, Keychain: noKeychain{}}
	for _, c := range change {
		c(&cfg)
	}
	p, err := New(cfg)
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p
}

// noKeychain keeps the tests from the configuration of whoever runs them.
type noKeychain struct{}

func (noKeychain) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// makeLayer is a layer with one file of random bytes, never the same twice.
func makeLayer(t testing.TB, size int, packing compression.Compression) v1.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	id := rand.Uint64()
	must(t, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("file-%x", id), Mode: 0o644, Size: int64(size)}))
	_, err := io.CopyN(w, rand.NewChaCha8([32]byte{byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24)}), int64(size))
	must(t, err)
	must(t, w.Close())
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	options := []tarball.LayerOption{tarball.WithCompression(packing), tarball.WithMediaType(types.OCILayer)}
	if packing == compression.ZStd {
		options[1] = tarball.WithMediaType(types.OCILayerZStd)
	}
	l, err := tarball.LayerFromOpener(opener, options...)
	must(t, err)
	return l
}

// makeImage puts layers together for this machine's platform.
func makeImage(t testing.TB, e *client.Client, layers ...v1.Layer) v1.Image {
	t.Helper()
	version, err := e.ServerVersion(t.Context(), client.ServerVersionOptions{})
	must(t, err)
	base := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	img, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: version.Os, Architecture: version.Arch, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Labels: map[string]string{"leme.test": "registry"}, Cmd: []string{"/none"}},
	})
	must(t, err)
	img, err = mutate.AppendLayers(img, layers...)
	must(t, err)
	return img
}

// push puts an image into a registry and sees to it that the engine has forgotten it after the test.
func push(t testing.TB, e *client.Client, img v1.Image, format string, a ...any) string {
	t.Helper()
	ref := fmt.Sprintf(format, a...)
	parsed, err := name.ParseReference(ref)
	must(t, err)
	must(t, remote.Write(parsed, img))
	t.Cleanup(func() { forget(e, ref) })
	return ref
}

// forget removes an image, all its names too; a test may never have come to pull it.
func forget(e *client.Client, ref string) {
	if found, err := e.ImageInspect(context.Background(), ref); err == nil {
		_, _ = e.ImageRemove(context.Background(), found.ID, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	}
}

func configName(t testing.TB, img v1.Image) string {
	t.Helper()
	h, err := img.ConfigName()
	must(t, err)
	return h.String()
}

func digestOf(t testing.TB, l v1.Layer) (string, int) {
	t.Helper()
	h, err := l.Digest()
	must(t, err)
	size, err := l.Size()
	must(t, err)
	return h.String(), int(size)
}

// wantImage checks what a pull promises.
func wantImage(t *testing.T, p *Puller, e *client.Client, ref string, img v1.Image, got Result) {
	t.Helper()
	p.untagging.Wait()
	if want := configName(t, img); got.ImageID != want {
		t.Errorf("image ID %s, want %s", got.ImageID, want)
	}
	d, err := img.Digest()
	must(t, err)
	repo, _, _ := strings.Cut(ref, "@")
	if i := strings.LastIndex(repo, ":"); i > strings.LastIndex(repo, "/") {
		repo = repo[:i]
	}
	if want := repo + "@" + d.String(); got.RepoDigest != want {
		t.Errorf("digest %s, want %s", got.RepoDigest, want)
	}
	local, err := LocalName(ref)
	must(t, err)
	found, err := e.ImageInspect(t.Context(), local)
	must(t, err)
	if found.ID != got.ImageID || got.Size != found.Size {
		t.Errorf("the engine has %s of %d bytes, the result is %+v", found.ID, found.Size, got)
	}
	byDigest, err := LocalName(got.RepoDigest)
	must(t, err)
	names, want := append(found.RepoTags, found.RepoDigests...), []string{byDigest, local}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, slices.Compact(want)) {
		t.Errorf("the image has the names %q, want %q", names, want)
	}
}
