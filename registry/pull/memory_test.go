package pull

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"
)

// drain is an engine that takes layers in and keeps nothing of them.
type drain struct {
	*client.Client
	password func() string
	read     int64
}

func (d *drain) ImagePull(ctx context.Context, ref string, _ client.ImagePullOptions) (client.ImagePullResponse, error) {
	host, rest, _ := strings.Cut(ref, "/")
	repo, digest, _ := strings.Cut(rest, "@")
	get := func(what string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/v2/"+repo+what, nil)
		if err != nil {
			return nil, err
		}
		req.SetBasicAuth(loopbackUser, d.password())
		return http.DefaultClient.Do(req)
	}
	resp, err := get("/manifests/" + digest)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	m, err := v1.ParseManifest(resp.Body)
	if err != nil {
		return nil, err
	}
	for _, l := range m.Layers {
		layer, err := get("/blobs/" + l.Digest.String())
		if err != nil {
			return nil, err
		}
		n, err := io.Copy(io.Discard, layer.Body)
		layer.Body.Close()
		if err != nil {
			return nil, err
		}
		d.read += n
	}
	return nil, errDrained
}

var errDrained = errors.New("drained")

// zeros is an empty tar of any length.
type zeros struct{ size int64 }

func (z zeros) digest(t *testing.T) v1.Hash {
	h := sha256.New()
	_, err := io.CopyN(h, z, z.size)
	must(t, err)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestMemory pulls a layer of many bytes while it looks at the memory in use. How many they are plays no part: they
// pass through buffers.
func TestMemory(t *testing.T) {
	const size, most = 256 << 20, 40 << 20
	content := zeros{size}
	digest := content.digest(t)
	f, host := newFaults(t)
	f.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var from, to int64
		_, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
		must(t, err)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, content.size))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.CopyN(w, content, to-from+1)
	})
	e := &drain{Client: engine(t)}
	p := startPuller(t, e)
	e.password = func() string { return p.loopback.password }
	img := &image{configName: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}, config: []byte("{}"), layers: []layer{{digest: digest, diffID: digest, size: size}}, blobs: blobSource{repository(t, host), http.DefaultClient}}
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	runtime.GC()
	before, peak := inUse(), uint64(0) // other tests have left something
	stop, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		for {
			peak = max(peak, inUse())
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	_, _, err := p.offer(t.Context(), img, enginePlatform{}, true, &pullShare{newGate(8), newMeter(img.layers, nil), &traffic{}})
	close(stop)
	<-watched
	if !errors.Is(err, errDrained) || e.read != size {
		t.Errorf("%d bytes came: %v", e.read, err)
	}
	if more := peak - min(peak, before); more > most {
		t.Errorf("%d MiB of memory at most, want %d", more>>20, most>>20)
	}
}

func repository(t *testing.T, host string) name.Repository {
	t.Helper()
	repo, err := name.NewRepository(host + "/leme-test/memory")
	must(t, err)
	return repo
}
