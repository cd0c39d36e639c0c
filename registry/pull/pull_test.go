package pull

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/moby/moby/client"
)

func TestPull(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 9<<20, compression.GZip), makeLayer(t, 1000, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/plain:1", host)
	p := startPuller(t, e)
	var last Progress
	var mu sync.Mutex
	got, err := p.Pull(t.Context(), ref, nil, func(now Progress) {
		mu.Lock()
		defer mu.Unlock()
		if now.Done < last.Done || now.Layers != 2 {
			t.Errorf("progress went from %+v to %+v", last, now)
		}
		last = now
	})
	must(t, err)
	wantImage(t, p, e, ref, img, got)
	if last.Done == 0 || last.Done != last.Total || last.LayersDone != 2 {
		t.Errorf("progress ended at %+v", last)
	}

	d, err := img.Digest()
	must(t, err)
	byDigest := host + "/leme-test/plain@" + d.String()
	again, err := p.Pull(t.Context(), byDigest, nil, nil)
	must(t, err)
	if again != got {
		t.Errorf("by digest %+v, by tag %+v", again, got)
	}
}

func TestPullZstd(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 50_000, compression.ZStd), makeLayer(t, 1000, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/zstd:1", host)
	p := startPuller(t, e)
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
}

func TestPullIndex(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 1000, compression.GZip))
	config, _ := img.ConfigFile()
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: empty.Image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "plan9", Architecture: "mips"}}},
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: config.OS, Architecture: config.Architecture}}})
	ref := push(t, e, img, "%s/leme-test/index:one", host)
	multi, err := name.ParseReference(strings.TrimSuffix(ref, "one") + "multi")
	must(t, err)
	must(t, remote.WriteIndex(multi, index))
	foreign, err := name.ParseReference(strings.TrimSuffix(ref, "one") + "foreign")
	must(t, err)
	must(t, remote.WriteIndex(foreign, mutate.RemoveManifests(index, func(d v1.Descriptor) bool { return d.Platform.OS != "plan9" })))
	p := startPuller(t, e)

	got, err := p.Pull(t.Context(), multi.String(), nil, nil)
	must(t, err)
	t.Cleanup(func() { forget(e, multi.String()) })
	d, _ := index.Digest()
	if got.ImageID != configName(t, img) || !strings.HasSuffix(got.RepoDigest, d.String()) {
		t.Errorf("got %+v, want image %s of index %s", got, configName(t, img), d)
	}
	if _, err := p.Pull(t.Context(), foreign.String(), nil, nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("an index without this platform: %v", err)
	}
}

// TestLayersOnce has three images that share a layer pulled at once: each layer travels once.
func TestLayersOnce(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	layers := []v1.Layer{makeLayer(t, 9<<20, compression.GZip)}
	p := startPuller(t, e)
	var refs []string
	var images []v1.Image
	for i := range 3 {
		own := makeLayer(t, 100_000, compression.GZip)
		img := makeImage(t, e, layers[0], own)
		layers = append(layers, own)
		images = append(images, img)
		refs = append(refs, push(t, e, img, "%s/leme-test/shared%d:1", host, i))
	}
	var wg sync.WaitGroup
	for i, ref := range refs {
		wg.Go(func() {
			got, err := p.Pull(t.Context(), ref, nil, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if got.ImageID != configName(t, images[i]) {
				t.Errorf("%s became %s", ref, got.ImageID)
			}
		})
	}
	wg.Wait()
	for _, l := range layers {
		if d, size := digestOf(t, l); f.sentOf(d) != size {
			t.Errorf("%d bytes sent of layer %s, which has %d", f.sentOf(d), d, size)
		}
	}
	next := makeImage(t, e, layers[0], makeLayer(t, 1000, compression.GZip))
	_, err := startPuller(t, e).Pull(t.Context(), push(t, e, next, "%s/leme-test/next:1", host), nil, nil)
	must(t, err)
	if d, size := digestOf(t, layers[0]); f.sentOf(d) != size {
		t.Errorf("a layer that the engine has was sent again")
	}
}

// TestOneImageTwice pulls an image several times at once, as a pod whose containers share it does.
func TestOneImageTwice(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	p := startPuller(t, e)
	for i := range 5 {
		img := makeImage(t, e, makeLayer(t, 50_000, compression.GZip))
		ref := push(t, e, img, "%s/leme-test/twice%d:1", host, i)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				got, err := p.Pull(t.Context(), ref, nil, nil)
				if err != nil || got.ImageID != configName(t, img) {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
		wg.Wait()
	}
}

func TestBrokenLines(t *testing.T) {
	e := engine(t)
	for _, c := range []struct {
		name     string
		cutAfter int
		noRanges bool
		once     bool // no byte travels twice
	}{
		{"cut every 300 kB", 300_000, false, true},
		{"no ranges", 0, true, false},
		{"no ranges, cut each time", 5 << 20, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, host := newFaults(t)
			l := makeLayer(t, 9<<20, compression.GZip)
			img := makeImage(t, e, l)
			ref := push(t, e, img, "%s/leme-test/broken:1", host)
			f.set(func(f *faults) { f.cutAfter, f.noRanges = c.cutAfter, c.noRanges })
			p := startPuller(t, e)
			p.retryWait = time.Millisecond
			got, err := p.Pull(t.Context(), ref, nil, nil)
			if c.noRanges && c.cutAfter > 0 { // starts over each time, and can never pass the cut
				if !errors.Is(err, ErrNetwork) {
					t.Errorf("error %v, want ErrNetwork", err)
				}
				return
			}
			must(t, err)
			wantImage(t, p, e, ref, img, got)
			if d, size := digestOf(t, l); c.once && f.sentOf(d) != size {
				t.Errorf("%d bytes sent of %d", f.sentOf(d), size)
			}
		})
	}
}

func TestCorruptLayer(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 9<<20, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/corrupt:1", host)
	f.set(func(f *faults) { f.corrupt = true })
	p := startPuller(t, e)
	_, err := p.Pull(t.Context(), ref, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "is corrupt") {
		t.Fatalf("error %v, want one that says corrupt", err)
	}
	if _, err := e.ImageInspect(t.Context(), configName(t, img)); err == nil {
		t.Error("the engine has the image")
	}
	f.set(func(f *faults) { f.corrupt = false })
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
}

func TestErrors(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 1000, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/secret:1", host)
	secret := func(user string) []Secret {
		return []Secret{{DockerConfigJSON: fmt.Appendf(nil, `{"auths":{%q:{"username":%q,"password":"x"}}}`, host, user)}}
	}
	f.set(func(f *faults) { f.user = "anna" })
	p := startPuller(t, e)
	for _, c := range []struct {
		name, ref string
		secrets   []Secret
		kind      error
		text      string
	}{
		{"no credentials", ref, nil, ErrDenied, "UNAUTHORIZED: authentication required"},
		{"wrong credentials", ref, secret("bert"), ErrDenied, "UNAUTHORIZED"},
		{"no such tag", ref + "2", secret("anna"), ErrNotFound, "MANIFEST_UNKNOWN"},
		{"no such repository", host + "/leme-test/none", secret("anna"), ErrNotFound, "NAME_UNKNOWN"},
		{"no such host", "registry.invalid/x:1", nil, ErrNetwork, "registry.invalid"},
		{"nobody listens", "127.0.0.1:1/x:1", nil, ErrNetwork, "connection refused"},
		{"bad name", "UPPER/case", nil, ErrInvalidName, "invalid image name"},
		{"bad secret", ref, []Secret{{DockerCfg: []byte("{")}}, nil, "image pull secret 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := p.Pull(t.Context(), c.ref, c.secrets, nil)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(e.Kind, c.kind) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v (%v), want %v with %q", err, e, c.kind, c.text)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
	got, err := p.Pull(t.Context(), ref, append(secret("bert"), secret("anna")...), nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
}

// TestCancelKeeps cancels a pull whose first layer is here and whose second is not.
func TestCancelKeeps(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	first, second := makeLayer(t, 50_000, compression.GZip), makeLayer(t, 9<<20, compression.GZip)
	img := makeImage(t, e, first, second)
	ref := push(t, e, img, "%s/leme-test/cancel:1", host)
	p := startPuller(t, e)
	d, size := digestOf(t, second)
	f.set(func(f *faults) { f.cutAfter, f.stopAt = 1<<20, 3<<20 })
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := p.Pull(ctx, ref, nil, nil)
		failed <- err
	}()
	<-f.hanging
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	f.set(func(f *faults) { f.stopAt = 0 })
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)
	d1, size1 := digestOf(t, first)
	if f.sentOf(d1) != size1 {
		t.Errorf("%d bytes sent of the first layer, which has %d", f.sentOf(d1), size1)
	}
	if twice := f.sentOf(d) - size; twice > 2<<20 { // what the line still held when the pull was cancelled
		t.Errorf("%d bytes of the second layer were sent twice", twice)
	}
}

// deaf is an engine that cannot reach this process.
type deaf struct{ *client.Client }

func (deaf) ImagePull(context.Context, string, client.ImagePullOptions) (client.ImagePullResponse, error) {
	return nil, errors.New("connection refused")
}

func TestArchiveWhenUnreachable(t *testing.T) {
	e := engine(t)
	f, host := newFaults(t)
	shared := makeLayer(t, 1000, compression.GZip)
	img := makeImage(t, e, shared, makeLayer(t, 5<<20, compression.ZStd), shared)
	ref := push(t, e, img, "%s/leme-test/archive:1", host)
	p := startPuller(t, deaf{e})
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	wantImage(t, p, e, ref, img, got)

	bad := makeImage(t, e, makeLayer(t, 50_000, compression.GZip))
	ref = push(t, e, bad, "%s/leme-test/archive:bad", host)
	f.set(func(f *faults) { f.corrupt = true })
	if _, err := p.Pull(t.Context(), ref, nil, nil); err == nil || !strings.Contains(err.Error(), "is corrupt") {
		t.Errorf("error %v, want one that says corrupt", err)
	}
}

// killed is an engine whose agent does not come to take a name away.
type killed struct{ *client.Client }

func (killed) ImageRemove(context.Context, string, client.ImageRemoveOptions) (client.ImageRemoveResult, error) {
	return client.ImageRemoveResult{}, errors.New("killed")
}

// TestSweep leaves a loopback name as a killed agent does; the next one removes it.
func TestSweep(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 1000, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/sweep:1", host)
	dir := t.TempDir()
	inDir := func(c *Config) { c.CacheDir = dir }
	first := startPuller(t, killed{e}, inDir)
	got, err := first.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	first.untagging.Wait()
	left := func() bool {
		found, err := e.ImageInspect(t.Context(), got.ImageID)
		must(t, err)
		return slices.ContainsFunc(append(found.RepoTags, found.RepoDigests...), func(n string) bool { return strings.Contains(n, loopbackFolder) })
	}
	if !left() {
		t.Fatal("no name was left")
	}
	p, err := New(Config{CacheDir: dir, Engine: e})
	must(t, err)
	must(t, p.sweep(t.Context()))
	p.loopback.listener.Close()
	if left() {
		t.Error("the name of an earlier pull is still there")
	}
}
