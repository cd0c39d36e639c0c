package pull

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestTrim(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name   string
		limit  int64
		age    time.Duration
		coming int64
		pinned []int
		left   []int // of four layers of 1000 bytes, last used 4, 3, 2 and 1 hours ago
		freed  int64
	}{
		{"all fit", 4000, 24 * time.Hour, 0, nil, []int{0, 1, 2, 3}, 0},
		{"too large", 2500, 24 * time.Hour, 0, nil, []int{2, 3}, 2000},
		{"room for what comes", 4000, 24 * time.Hour, 1500, nil, []int{2, 3}, 2000},
		{"too old", 4000, 150 * time.Minute, 0, nil, []int{2, 3}, 2000},
		{"in use", 1000, time.Minute, 0, []int{0, 2}, []int{0, 2}, 2000},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache, err := openCache(filepath.Join(t.TempDir(), "layers"), c.limit, c.age)
			must(t, err)
			var layers []layer
			for i := range 4 {
				l := layer{digest: v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%064d", i)}, size: 1000}
				layers = append(layers, l)
				must(t, os.WriteFile(cache.path(l.digest), make([]byte, l.size), 0o600))
				at := now.Add(-time.Duration(4-i) * time.Hour)
				must(t, os.Chtimes(cache.path(l.digest), at, at))
			}
			must(t, os.WriteFile(filepath.Join(cache.dir, "somebody's"), nil, 0o600))
			for _, i := range c.pinned {
				defer cache.pin(layers[i : i+1])()
			}
			freed, err := cache.trim(now, c.coming)
			must(t, err)
			var left []int
			for i, l := range layers {
				if _, err := os.Stat(cache.path(l.digest)); err == nil {
					left = append(left, i)
				}
			}
			if freed != c.freed || !slices.Equal(left, c.left) {
				t.Errorf("freed %d and left %v, want %d and %v", freed, left, c.freed, c.left)
			}
		})
	}
}

// TestTidy ages a layer and a record beyond use; what is young or in use stays.
func TestTidy(t *testing.T) {
	e := engine(t)
	_, host := newFaults(t)
	img := makeImage(t, e, makeLayer(t, 1000, compression.GZip))
	ref := push(t, e, img, "%s/leme-test/tidy:1", host)
	p := startPuller(t, e)
	got, err := p.Pull(t.Context(), ref, nil, nil)
	must(t, err)
	must(t, p.records.add("sha256:gone", "a.example/gone", fromNobody))
	p.tidy(t.Context())
	if rec, err := p.records.read("sha256:gone"); err != nil || rec != nil {
		t.Errorf("the record of an image that is gone: %v, %v", rec, err)
	}
	if rec, err := p.records.read(got.ImageID); err != nil || rec == nil {
		t.Errorf("the record of an image that is here: %v, %v", rec, err)
	}
	if freed, err := p.FreeCache(); err != nil || freed == 0 {
		t.Errorf("freed %d bytes, %v", freed, err)
	}
}
