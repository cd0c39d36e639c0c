package pull

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// manifest is a manifest as a registry gave it.
type manifest struct {
	kind   string // its media type
	digest v1.Hash
	body   []byte
}

// manifestCache keeps manifests in files named by their digests: the media type in a line, then the manifest.
type manifestCache struct{ *cache }

// manifestLimit bounds the manifests kept, in bytes.
const manifestLimit = 256 << 20

func openManifests(dir string, age time.Duration) (*manifestCache, error) {
	c, err := openCache(dir, manifestLimit, age)
	return &manifestCache{c}, err
}

// get gives a manifest that is here and not damaged.
func (c *manifestCache) get(h v1.Hash) (manifest, bool) {
	data, err := os.ReadFile(c.path(h))
	if err != nil || h.Algorithm != "sha256" {
		return manifest{}, false
	}
	kind, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || fmt.Sprintf("%x", sha256.Sum256(body)) != h.Hex {
		return manifest{}, false
	}
	now := time.Now()
	_ = os.Chtimes(c.path(h), now, now) // for trim
	return manifest{string(kind), h, body}, true
}

func (c *manifestCache) put(m manifest) error {
	file, err := os.CreateTemp(c.dir, "*"+partialSuffix)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // of no effect once it has its name
	_, err = fmt.Fprintf(file, "%s\n%s", m.kind, m.body)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(c.dir, filepath.Base(c.path(m.digest))))
}
