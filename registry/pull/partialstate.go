package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// stateSuffix follows the name of a partial's file in that of the file which says what is in it.
const stateSuffix = ".state"

// partialState is what a partial's file holds, for a process that comes after this one.
type partialState struct {
	Size, Segment int64
	Got           []int64
}

// save notes what is here. It is called when a segment is: after a kill at most the segments that were on their way
// come again. What a power cut leaves of the file may be less; then the digest of the whole says so.
func (p *partial) save() error {
	p.mu.Lock()
	state := partialState{p.size, p.segment, append([]int64(nil), p.got...)}
	p.mu.Unlock()
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	p.saving.Lock()
	defer p.saving.Unlock()
	next := p.file.Name() + stateSuffix + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, p.file.Name()+stateSuffix)
}

// removePartial removes a partial's file and what is said of it.
func removePartial(path string) error {
	err := os.Remove(path)
	if state := os.Remove(path + stateSuffix); !errors.Is(state, fs.ErrNotExist) {
		err = errors.Join(err, state)
	}
	return err
}

// restore finds what an earlier process has left half done, and removes what is of no use.
func (c *cache) restore() error {
	left, err := filepath.Glob(filepath.Join(c.dir, "*"+partialSuffix+"*"))
	if err != nil {
		return err
	}
	for _, path := range left {
		if !strings.HasSuffix(path, partialSuffix) {
			continue // it goes with the file that it is about
		}
		digest, err := digestOfFile(strings.TrimSuffix(filepath.Base(path), partialSuffix))
		if err == nil {
			var p *partial
			if p, err = restorePartial(path, digest); err == nil {
				c.partials[digest] = p
				continue
			}
		}
		if err := removePartial(path); err != nil {
			return err
		}
	}
	return nil
}

var errState = errors.New("the state of a half downloaded layer is none")

// restorePartial opens a layer that is partly here.
func restorePartial(path string, digest v1.Hash) (*partial, error) {
	data, err := os.ReadFile(path + stateSuffix)
	if err != nil {
		return nil, err
	}
	var s partialState
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", errState, err)
	}
	if s.Size < 0 || s.Segment <= 0 || int64(len(s.Got)) != max(1, parts(s.Size, s.Segment)) {
		return nil, errState
	}
	p, err := openPartial(path, layer{digest: digest, size: s.Size}, 0)
	if err != nil {
		return nil, err
	}
	info, err := p.file.Stat()
	if err == nil {
		p.split(s.Segment)
		err = p.fill(s.Got, info.Size())
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// fill says what is here of each segment of a file of so many bytes.
func (p *partial) fill(got []int64, length int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, n := range got {
		first, last := p.bounds(i)
		if n < 0 || n > last-first || n > 0 && first+n > length {
			return errState
		}
		p.add(i, n)
	}
	return nil
}
