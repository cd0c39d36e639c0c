package pull

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// kept is something that the cache can remove: a layer, or what came of one before its download was given up.
type kept struct {
	digest  v1.Hash
	path    string
	bytes   int64
	used    time.Time
	partial *partial
}

// trim removes what has not been used for the cache's age, then what was not used for longest until the rest fits the
// limit together with what is about to come. Layers that pulls use stay. It returns the bytes that it freed.
func (c *cache) trim(now time.Time, coming int64) (freed int64, err error) {
	return c.remove(func(k kept, total int64) bool { return total+coming > c.limit || now.Sub(k.used) > c.age })
}

// clear removes all that no pull uses.
func (c *cache) clear() (freed int64, err error) {
	return c.remove(func(kept, int64) bool { return true })
}

// remove removes what should go, given-up downloads first and then the longest unused; total is what there is by then.
func (c *cache) remove(should func(k kept, total int64) bool) (freed int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, total, err := c.list()
	for _, k := range all {
		if c.held(k.digest) || !should(k, total) {
			continue
		}
		remove := os.Remove
		if k.partial != nil {
			delete(c.partials, k.digest)
			k.partial.close()
			remove = removePartial
		}
		delete(c.trusted, k.digest)
		if e := remove(k.path); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
			continue
		}
		freed, total = freed+k.bytes, total-k.bytes
	}
	return freed, err
}

// list gives what the cache has, in the order in which it is to go, and how many bytes that is. The caller holds mu.
func (c *cache) list() (all []kept, total int64, err error) {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		k, err := c.entry(e)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		total += k.bytes
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b kept) int {
		if (a.partial != nil) != (b.partial != nil) {
			return map[bool]int{true: -1, false: 1}[a.partial != nil]
		}
		return cmp.Or(a.used.Compare(b.used), cmp.Compare(a.path, b.path))
	})
	return all, total, nil
}

func (c *cache) entry(e fs.DirEntry) (kept, error) {
	info, err := e.Info()
	if err != nil {
		return kept{}, err
	}
	name, unfinished := strings.CutSuffix(e.Name(), partialSuffix)
	digest, err := digestOfFile(name)
	if err != nil {
		return kept{}, fs.ErrNotExist // none of ours
	}
	k := kept{digest: digest, path: filepath.Join(c.dir, e.Name()), bytes: info.Size(), used: info.ModTime()}
	if p := c.partials[digest]; unfinished && p != nil { // otherwise it is on its way, and held
		k.partial, k.bytes = p, p.here()
	}
	return k, nil
}
