package pull

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

var errCorrupt = errors.New("is corrupt")

// segmentSize is what one request asks for at most, in bytes: enough for the line to get up to speed, little enough for
// a connection to be soon free for a lower layer.
const segmentSize = 4 << 20

// segmentOf divides a layer. One that is too large for a segment on each connection is divided so that all of them end
// with it together.
func segmentOf(size int64) int64 {
	rounds := parts(size, connections*segmentSize)
	if rounds <= 1 {
		return segmentSize
	}
	return parts(size, rounds*connections)
}

// parts is how many parts of a size there are in the whole.
func parts(whole, size int64) int64 { return (whole + size - 1) / size }

// partial is a layer that is partly here: a file, how much of each segment is in it, and the digest of its beginning,
// which follows as far as the bytes have no hole.
type partial struct {
	file *os.File
	size int64

	mu      sync.Mutex
	users   int           // of the open file
	segment int64         // bytes a segment; all of them where the server knows no ranges
	got     []int64       // bytes of each segment that are in the file, from its start
	taken   []bool        // somebody is downloading the segment
	whole   int           // segments before this one are here
	grown   chan struct{} // closed when there is more; nil while nobody waits

	saving  sync.Mutex
	hashing sync.Mutex
	hash    hash.Hash
	hashed  int64
}

func newPartial(path string, l layer) (*partial, error) {
	return openPartial(path, l, os.O_CREATE|os.O_TRUNC)
}

func openPartial(path string, l layer, flags int) (*partial, error) {
	h, err := v1.Hasher(l.digest.Algorithm)
	if err != nil {
		return nil, err
	}
	if l.size < 0 {
		return nil, fmt.Errorf("layer %s: size %d", l.digest, l.size)
	}
	f, err := os.OpenFile(path, flags|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	p := &partial{file: f, size: l.size, hash: h, users: 1}
	p.split(segmentOf(l.size))
	return p, nil
}

// use keeps the file open until the user closes it; it is false when all others have closed it.
func (p *partial) use() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users == 0 {
		return false
	}
	p.users++
	return true
}

func (p *partial) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users--; p.users == 0 {
		_ = p.file.Close()
	}
}

// ReadAt reads what is here.
func (p *partial) ReadAt(b []byte, at int64) (int, error) { return p.file.ReadAt(b, at) }

// split starts over with segments of another size.
func (p *partial) split(segment int64) {
	p.hashing.Lock()
	defer p.hashing.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	n := max(1, parts(p.size, segment))
	p.segment, p.got, p.taken, p.whole = segment, make([]int64, n), make([]bool, n), 0
	p.hash.Reset()
	p.hashed = 0
}

// next takes the first segment that is neither here nor taken; ok is false when there is none.
func (p *partial) next() (i int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.got {
		if start, end := p.bounds(i); !p.taken[i] && p.got[i] < end-start {
			p.taken[i] = true
			return i, true
		}
	}
	return 0, false
}

// release gives a segment back.
func (p *partial) release(i int) {
	p.mu.Lock()
	p.taken[i] = false
	first, last := p.bounds(i)
	whole := p.got[i] == last-first && len(p.got) > 1
	p.mu.Unlock()
	if whole {
		_ = p.save() // a layer that cannot be gone on with is downloaded again
	}
}

// bounds are a segment's first byte and the one after its last.
func (p *partial) bounds(i int) (start, end int64) {
	start = int64(i) * p.segment
	return start, min(start+p.segment, p.size)
}

// missing is what is left of a segment.
func (p *partial) missing(i int) (from, end int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	start, end := p.bounds(i)
	return start + p.got[i], end
}

// here is how many bytes there are.
func (p *partial) here() (n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, got := range p.got {
		n += got
	}
	return n
}

// available is up to where there are bytes from at on without a hole; grown is closed when there are more.
func (p *partial) available(at int64) (end int64, grown <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.grown == nil {
		p.grown = make(chan struct{})
	}
	for i := int(at / p.segment); i < len(p.got); i++ {
		first, last := p.bounds(i)
		end = first + p.got[i]
		if end < last {
			break
		}
	}
	return end, p.grown
}

// add counts bytes of segment i as here. The caller holds mu.
func (p *partial) add(i int, n int64) {
	p.got[i] += n
	for i == p.whole && i < len(p.got)-1 {
		first, last := p.bounds(i)
		if p.got[i] < last-first {
			break
		}
		i++
		p.whole = i
	}
	if p.grown != nil {
		close(p.grown)
		p.grown = nil
	}
}

// write adds bytes to the end of what is here of segment i.
func (p *partial) write(i int, data []byte) error {
	at, end := p.missing(i)
	if int64(len(data)) > end-at {
		return fmt.Errorf("%w: more bytes than asked for", errAnswer)
	}
	if _, err := p.file.WriteAt(data, at); err != nil {
		return err
	}
	p.mu.Lock()
	p.add(i, int64(len(data)))
	p.mu.Unlock()
	if p.hashing.TryLock() {
		defer p.hashing.Unlock()
		return p.follow()
	}
	return nil
}

// follow takes the digest of what has come without a hole. The caller holds hashing.
func (p *partial) follow() error {
	for {
		p.mu.Lock()
		start, _ := p.bounds(p.whole)
		n := start + p.got[p.whole] - p.hashed
		p.mu.Unlock()
		if n <= 0 {
			return nil
		}
		if _, err := io.Copy(p.hash, io.NewSectionReader(p.file, p.hashed, n)); err != nil {
			return err
		}
		p.hashed += n
	}
}

// verify compares the digest of the whole with what it should be.
func (p *partial) verify(want v1.Hash) error {
	p.hashing.Lock()
	defer p.hashing.Unlock()
	if err := p.follow(); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", p.hash.Sum(nil)); p.hashed != p.size || got != want.Hex {
		return fmt.Errorf("layer %s %w: the %d bytes that came have the digest %s:%s", want, errCorrupt, p.hashed, want.Algorithm, got)
	}
	return nil
}
