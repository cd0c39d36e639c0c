package rest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"hash/maphash"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"

	"leme/server/store"
)

// Compressing is most of what a long list costs a server whose clients are far away. Neighbours in a list are much
// alike, and few of them change between two lists: so pieces of lists are compressed once and kept, and a list is put
// together from the pieces. A gzip stream allows that: a piece is blocks that look at nothing before them and end with a
// whole byte.

// piece is some of a list's items after each other, compressed.
type piece struct {
	blocks []byte
	crc    uint32 // of what they hold
	shift  uint32 // see joinCRC
	size   int    // of what they hold
}

const (
	pieceItems = 64       // items of a piece, about
	pieceMost  = 4 * 64   // items of a piece, at most
	keptPieces = 16 << 20 // bytes of pieces in a generation
)

// pieces are those that were of use lately: of two generations, the older one goes when the younger one is full.
type pieces struct {
	mu           sync.Mutex
	young, older map[uint64]*piece
	size         int // of young
}

// seed makes the names of pieces other than anybody can foresee.
var seed = maphash.MakeSeed()

// find gives a piece by its name, made where there is none.
func (p *pieces) find(name uint64, make func() *piece) *piece {
	p.mu.Lock()
	found := p.young[name]
	if found == nil {
		if found = p.older[name]; found != nil {
			p.keep(name, found)
		}
	}
	p.mu.Unlock()
	if found != nil {
		return found
	}
	made := make() // by two at once, at worst
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(name, made)
	return made
}

// keep adds a piece to the young ones. p.mu is held.
func (p *pieces) keep(name uint64, made *piece) {
	if p.young == nil || p.size > keptPieces {
		p.young, p.older, p.size = map[uint64]*piece{}, p.young, 0
	}
	p.young[name] = made
	p.size += len(made.blocks)
}

// cut gives how many of the items make the next piece. It ends where a name says so, so that what comes or goes in a
// list changes one piece and leaves the others.
func cut(items []*store.Item) int {
	for i, it := range items[:min(len(items), pieceMost)] {
		if maphash.String(seed, it.Key.Name)%pieceItems == 0 {
			return i + 1
		}
	}
	return min(len(items), pieceMost)
}

// nameOf is the name of a piece: by what its items are shown as, and which they are. An item's key and revision stand
// for its content.
func nameOf(shown string, items []*store.Item) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	_, _ = h.WriteString(shown)
	var revision [8]byte
	for _, it := range items {
		_, _ = h.WriteString(it.Key.Namespace)
		_ = h.WriteByte(0)
		_, _ = h.WriteString(it.Key.Name)
		_ = h.WriteByte(0)
		_, _ = h.Write(binary.LittleEndian.AppendUint64(revision[:0], uint64(it.Revision)))
	}
	return h.Sum64()
}

var deflaters = sync.Pool{New: func() any { z, _ := flate.NewWriter(io.Discard, flate.BestSpeed); return z }}

// pack compresses what stands for itself.
func pack(raw []byte) *piece {
	z := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(z)
	var blocks bytes.Buffer // it takes everything
	z.Reset(&blocks)
	_, _ = z.Write(raw)
	_ = z.Flush()
	return &piece{
		blocks: bytes.Clone(blocks.Bytes()), crc: crc32.ChecksumIEEE(raw), shift: shiftOf(len(raw)), size: len(raw),
	}
}
