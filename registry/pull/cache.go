package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	limit int64

	mu       sync.Mutex
	trusted  map[v1.Hash]bool     // checked by this process
	flights  map[v1.Hash]*flight  // being downloaded or checked
	partials map[v1.Hash]*partial // given up half way
}

// flight is a layer on its way, and those who wait for it.
type flight struct {
	done     chan struct{}
	err      error
	cancel   context.CancelFunc
	waiting  int
	watchers map[*func(int64)]bool
}

// downloader brings what is missing of a layer; it tells watch how many bytes are here.
type downloader func(ctx context.Context, p *partial, watch func(n int64)) error

func openCache(dir string, limit int64) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"+partialSuffix))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return &cache{dir: dir, limit: limit, trusted: map[v1.Hash]bool{}, flights: map[v1.Hash]*flight{}, partials: map[v1.Hash]*partial{}}, nil
}

func (c *cache) path(h v1.Hash) string { return filepath.Join(c.dir, h.Algorithm+"-"+h.Hex) }

// open gives a layer's verified file, after downloading it if need be. The file stays readable if the cache lets go of
// the layer meanwhile. Waiting ends with ctx; the download ends when nobody waits for it any more.
func (c *cache) open(ctx context.Context, l layer, get downloader, watch func(n int64)) (*os.File, error) {
	f := c.join(l, get, &watch)
	select {
	case <-f.done:
	case <-ctx.Done():
	}
	c.mu.Lock()
	delete(f.watchers, &watch)
	f.waiting--
	if f.waiting == 0 {
		f.cancel()
	}
	c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.err != nil {
		return nil, f.err
	}
	now := time.Now()
	_ = os.Chtimes(c.path(l.digest), now, now) // for trim; a file that is gone shows in the next line
	return os.Open(c.path(l.digest))
}

// join waits with others for a layer on its way, or starts it.
func (c *cache) join(l layer, get downloader, watch *func(int64)) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[l.digest]
	if f == nil || f.waiting == 0 { // one that nobody waits for is being cancelled
		previous := f
		ctx, cancel := context.WithCancel(context.Background())
		f = &flight{done: make(chan struct{}), cancel: cancel, watchers: map[*func(int64)]bool{}}
		c.flights[l.digest] = f
		go c.fly(ctx, f, previous, l, get)
	}
	f.waiting++
	f.watchers[watch] = true
	return f
}

// fly brings one layer, after an earlier flight of it has landed.
func (c *cache) fly(ctx context.Context, f, previous *flight, l layer, get downloader) {
	defer f.cancel()
	if previous != nil {
		<-previous.done
	}
	f.err = c.bring(ctx, f, l, get)
	c.mu.Lock()
	if c.flights[l.digest] == f {
		delete(c.flights, l.digest)
	}
	c.mu.Unlock()
	close(f.done)
}

func (c *cache) bring(ctx context.Context, f *flight, l layer, get downloader) error {
	tell := func(n int64) { c.tell(f, n) }
	if have, err := c.has(l); have || err != nil {
		tell(l.size)
		return err
	}
	p, resumed, err := c.take(l)
	if err != nil {
		return err
	}
	err = c.fill(ctx, p, l, get, tell)
	if resumed && errors.Is(err, errCorrupt) { // by what came before, perhaps: all of it once more
		if p, err = c.start(l); err != nil {
			return err
		}
		err = c.fill(ctx, p, l, get, tell)
	}
	return err
}

// fill downloads the rest of a layer and gives it its name, or keeps what came for another time unless it is corrupt.
func (c *cache) fill(ctx context.Context, p *partial, l layer, get downloader, tell func(int64)) error {
	if err := get(ctx, p, tell); err != nil {
		c.keep(l, p)
		return err
	}
	defer p.close()
	if err := p.verify(l.digest); err != nil {
		_ = os.Remove(p.file.Name())
		return err
	}
	if err := os.Rename(p.file.Name(), c.path(l.digest)); err != nil {
		return err
	}
	c.trust(l.digest)
	return nil
}

func (c *cache) tell(f *flight, n int64) {
	c.mu.Lock()
	watchers := make([]func(int64), 0, len(f.watchers))
	for w := range f.watchers {
		if *w != nil {
			watchers = append(watchers, *w)
		}
	}
	c.mu.Unlock()
	for _, w := range watchers {
		w(n)
	}
}

func (c *cache) trust(h v1.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trusted[h] = true
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
func (c *cache) take(l layer) (p *partial, resumed bool, err error) {
	c.mu.Lock()
	p = c.partials[l.digest]
	delete(c.partials, l.digest)
	c.mu.Unlock()
	if p != nil {
		return p, true, nil
	}
	p, err = c.start(l)
	return p, false, err
}

func (c *cache) start(l layer) (*partial, error) {
	return newPartial(c.path(l.digest)+partialSuffix, l)
}

func (c *cache) keep(l layer, p *partial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.partials[l.digest] = p
}

// trim removes the layers that were not used for longest until the rest fits the limit; given up downloads go first.
func (c *cache) trim() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	files, total, err := c.list()
	if err != nil {
		return err
	}
	if total > c.limit {
		for h, p := range c.partials {
			delete(c.partials, h)
			total -= p.here()
			p.close()
			err = errors.Join(err, os.Remove(p.file.Name()))
		}
	}
	for _, f := range files {
		if total <= c.limit {
			break
		}
		err = errors.Join(err, os.Remove(filepath.Join(c.dir, f.Name())))
		total -= f.Size()
	}
	return err
}

// list gives the complete layers, the longest unused first, and the bytes of them and of what was given up.
func (c *cache) list() (files []fs.FileInfo, total int64, err error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), partialSuffix) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		files = append(files, info)
		total += info.Size()
	}
	for _, p := range c.partials {
		total += p.here()
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	return files, total, nil
}
