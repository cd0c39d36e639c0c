package pull

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestRestore kills a download, as it were, and goes on with what it left on the disk.
func TestRestore(t *testing.T) {
	content := strings.Repeat("0123456789abcdef", (2*segmentSize+100)/16)
	digest, size, err := v1.SHA256(strings.NewReader(content))
	must(t, err)
	l := layer{digest: digest, size: size}
	for _, c := range []struct {
		name string
		harm func(path string) error
		left []int64 // bytes of each segment that are here; nil when it starts anew
	}{
		{"killed", nil, []int64{segmentSize, 0, 96}},
		{"no state", func(path string) error { return os.Remove(path + stateSuffix) }, nil},
		{"state of something else", func(path string) error {
			return os.WriteFile(path+stateSuffix, []byte(`{"Size":1,"Segment":1,"Got":[9]}`), 0o600)
		}, nil},
		{"state is no JSON", func(path string) error { return os.WriteFile(path+stateSuffix, nil, 0o600) }, nil},
		{"file cut short", func(path string) error { return os.Truncate(path, 10) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "layers")
			first, err := openCache(dir, 1<<30, tidyEvery)
			must(t, err)
			p, err := first.take(l)
			must(t, err)
			for _, i := range []int{0, 2} {
				from, end := p.missing(i)
				must(t, p.write(i, []byte(content[from:end])))
				p.release(i)
			}
			must(t, p.write(1, []byte(content[segmentSize:segmentSize+10]))) // which nobody has noted
			if c.harm != nil {
				must(t, c.harm(p.file.Name()))
			}
			second, err := openCache(dir, 1<<30, tidyEvery)
			must(t, err)
			if found := second.partials[digest]; (found != nil) != (c.left != nil) || found != nil && !slices.Equal(found.got, c.left) {
				t.Fatalf("restored %+v, want %v", found, c.left)
			}
			p, err = second.take(l)
			must(t, err)
			for i := range p.got {
				from, end := p.missing(i)
				must(t, p.write(i, []byte(content[from:end])))
				p.release(i)
			}
			must(t, p.verify(digest))
			must(t, second.adopt(l, p))
			if have, err := second.has(l); !have || err != nil {
				t.Errorf("the layer is here: %v, %v", have, err)
			}
			entries, err := os.ReadDir(dir)
			must(t, err)
			if len(entries) != 1 {
				t.Errorf("left in the cache: %v", entries)
			}
		})
	}
}
