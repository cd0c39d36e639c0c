package rest

import (
	"encoding/binary"
	"hash/crc32"

	"leme/server/store"
)

// spliced is a list in a form that is put together from its items' bytes.
type spliced struct {
	shown      string // names the form
	head, tail []byte // at most 64 KiB each
	between    []byte // items
	items      []*store.Item
	item       func(dst []byte, it *store.Item) []byte
}

// writePacked answers with a list that is compressed piece by piece.
func (c *call) writePacked(code int, list spliced) {
	out := newOutput(c.begin(code, true), false)
	defer out.close()
	p := packing{out: out}
	p.begin()
	p.text(list.head, false)
	for items := list.items; len(items) > 0; {
		n := cut(items)
		part := items[:n]
		items = items[n:]
		p.add(c.pieces.find(nameOf(list.shown, part), func() *piece { return list.pack(part) }))
		if len(items) > 0 {
			p.text(list.between, false)
		}
		if !out.spill() {
			return
		}
	}
	p.text(list.tail, true)
	p.end()
}

// pack makes the piece of some of the list's items.
func (l *spliced) pack(part []*store.Item) *piece {
	gathered := newOutput(nil, false)
	raw := gathered.buf
	for i, it := range part {
		if i > 0 {
			raw = append(raw, l.between...)
		}
		raw = l.item(raw, it)
	}
	made := pack(raw)
	gathered.buf = raw[:0]
	gathered.close()
	return made
}

// packing puts a gzip stream together (RFC 1952).
type packing struct {
	out  *output
	crc  uint32
	size uint32
}

func (p *packing) begin() {
	const deflated, plain, noTime, fastest, anySystem = 8, 0, 0, 4, 255
	p.out.buf = append(p.out.buf, 0x1f, 0x8b, deflated, plain, noTime, noTime, noTime, noTime, fastest, anySystem)
}

func (p *packing) add(made *piece) {
	p.out.buf = append(p.out.buf, made.blocks...)
	p.crc = joinCRC(p.crc, made.crc, made.shift)
	p.size += uint32(made.size)
}

// text adds a few bytes, at most 64 KiB, as they are: a block that is stored (RFC 1951, 3.2.4).
func (p *packing) text(raw []byte, last bool) {
	head := byte(0)
	if last {
		head = 1
	}
	p.out.buf = append(p.out.buf, head)
	p.out.buf = binary.LittleEndian.AppendUint16(p.out.buf, uint16(len(raw)))
	p.out.buf = binary.LittleEndian.AppendUint16(p.out.buf, ^uint16(len(raw)))
	p.out.buf = append(p.out.buf, raw...)
	p.crc = crc32.Update(p.crc, crc32.IEEETable, raw)
	p.size += uint32(len(raw))
}

func (p *packing) end() {
	p.out.buf = binary.LittleEndian.AppendUint32(p.out.buf, p.crc)
	p.out.buf = binary.LittleEndian.AppendUint32(p.out.buf, p.size)
}
