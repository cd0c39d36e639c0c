package pull

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const partialSuffix = ".partial"

// cache keeps layers as registries have them, each in a file named by its digest. It sees to it that a layer is
// downloaded once however many pulls want it, and that a download which was given up goes on where it stopped.
//
// Files are not synced: a layer from an earlier process is checked against its digest when it is first used.
type cache struct {
	dir   string
	limit int64         // bytes
	age   time.Duration // since a layer was last used
	// linger is how long a download goes on that nobody waits for any more: others may come for the next range of it.
	linger time.Duration

	mu       sync.Mutex
	trusted  map[v1.Hash]bool     // checked by this process
	flights  map[v1.Hash]*flight  // being downloaded or checked
	partials map[v1.Hash]*partial // given up half way
	pins     map[v1.Hash]int      // pulls that use a layer
}

func openCache(dir string, limit int64, age time.Duration) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := &cache{
		dir: dir, limit: limit, age: age,
		trusted: map[v1.Hash]bool{}, flights: map[v1.Hash]*flight{}, partials: map[v1.Hash]*partial{}, pins: map[v1.Hash]int{},
	}
	return c, c.restore()
}

func (c *cache) path(h v1.Hash) string { return filepath.Join(c.dir, h.Algorithm+"-"+h.Hex) }

// open gives a layer's verified file, after downloading it if need be. The file stays readable if the cache lets go of
// the layer meanwhile. Waiting ends with ctx; the download ends when nobody waits for it any more.
func (c *cache) open(r *layerReader) (*os.File, error) {
	defer r.Close()
	if err := r.wait(); err != nil {
		return nil, err
	}
	return c.file(r.layer)
}

// file opens a layer that is here, and notes that it was used.
func (c *cache) file(l layer) (*os.File, error) {
	now := time.Now()
	_ = os.Chtimes(c.path(l.digest), now, now) // for trim; a file that is gone shows in the next line
	return os.Open(c.path(l.digest))
}

func (c *cache) trust(h v1.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trusted[h] = true
}

// size is that of a layer which is here.
func (c *cache) size(h v1.Hash) (int64, bool) {
	info, err := os.Stat(c.path(h))
	if err != nil {
		return 0, false
	}
	return info.Size(), true
}

// has looks for a layer on disk, and reads one that this process has not seen yet.
func (c *cache) has(l layer) (bool, error) {
	f, err := os.Open(c.path(l.digest))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	c.mu.Lock()
	trusted := c.trusted[l.digest]
	c.mu.Unlock()
	if trusted {
		return true, nil
	}
	hash, err := v1.Hasher(l.digest.Algorithm)
	if err != nil {
		return false, err
	}
	if _, err := io.Copy(hash, f); err != nil {
		return false, err
	}
	if fmt.Sprintf("%x", hash.Sum(nil)) != l.digest.Hex {
		return false, os.Remove(f.Name())
	}
	c.trust(l.digest)
	return true, nil
}

// take goes on with a layer that was given up, or starts one.
func (c *cache) take(l layer) (*partial, error) {
	c.mu.Lock()
	p := c.partials[l.digest]
	delete(c.partials, l.digest)
	c.mu.Unlock()
	if p != nil && p.size == l.size {
		return p, nil
	}
	if p != nil {
		p.close()
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil { // somebody may have removed it
		return nil, err
	}
	return newPartial(c.path(l.digest)+partialSuffix, l)
}

// adopt gives a verified layer its name.
func (c *cache) adopt(l layer, p *partial) error {
	if err := os.Rename(p.file.Name(), c.path(l.digest)); err != nil {
		return err
	}
	c.trust(l.digest)
	if err := os.Remove(p.file.Name() + stateSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// keep leaves what came of a layer for another time, unless it is what fills the disk.
func (c *cache) keep(l layer, p *partial, why error) error {
	if errors.Is(why, syscall.ENOSPC) || errors.Is(why, syscall.EDQUOT) {
		p.close()
		return removePartial(p.file.Name())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.partials[l.digest] = p
	return nil
}

// pin keeps the layers of a pull from being removed until unpin is called.
func (c *cache) pin(layers []layer) (unpin func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range layers {
		c.pins[l.digest]++
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, l := range layers {
			if c.pins[l.digest]--; c.pins[l.digest] == 0 {
				delete(c.pins, l.digest)
			}
		}
	}
}

// held reports whether a pull uses the layer, or will. The caller holds mu.
func (c *cache) held(h v1.Hash) bool { return c.pins[h] > 0 || c.flights[h] != nil }

// digestOfFile undoes path.
func digestOfFile(name string) (v1.Hash, error) {
	return v1.NewHash(strings.Replace(name, "-", ":", 1))
}
