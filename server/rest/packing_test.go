package rest

import (
	"bytes"
	"compress/gzip"
	"hash/crc32"
	"io"
	"net/http/httptest"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"leme/server/resource"
	"leme/server/store"
)

func TestJoinCRC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOf(rapid.Byte()).Draw(t, "a"), rapid.SliceOf(rapid.Byte()).Draw(t, "b")
		got := joinCRC(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), shiftOf(len(b)))
		if want := crc32.ChecksumIEEE(slices.Concat(a, b)); got != want {
			t.Errorf("%x, want %x", got, want)
		}
	})
}

// TestPackedListsAreTheSame: what a client unpacks is what it would have got plain, whatever was asked for before.
func TestPackedListsAreTheSame(t *testing.T) {
	all, kept := benchPods(t, 1500), &pieces{}
	answer := func(t *rapid.T, a accept, from string, items []*store.Item) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		c := benchCall(a)
		c.w, c.pieces = &recorder{ResponseWriter: w}, kept
		c.r.RemoteAddr = from
		c.r.Header.Set("Accept-Encoding", "gzip")
		if err := c.writeList(200, &resource.List{Items: items, Revision: 7}); err != nil {
			t.Fatal(err)
		}
		return w
	}
	rapid.Check(t, func(t *rapid.T) {
		gone := rapid.SliceOfN(rapid.IntRange(0, len(all)-1), 0, 5).Draw(t, "gone")
		first := rapid.IntRange(0, 300).Draw(t, "first")
		var items []*store.Item
		for i, it := range all[first:] {
			if !slices.Contains(gone, first+i) {
				items = append(items, it)
			}
		}
		for _, a := range []accept{{format: formatJSON}, {format: formatProtobuf}} {
			packed, plain := answer(t, a, "192.0.2.9:1234", items), answer(t, a, "127.0.0.1:1234", items)
			if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" {
				t.Fatal("what is far away is packed, and nothing else")
			}
			z, err := gzip.NewReader(packed.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
				t.Errorf("%s: %d of %d bytes are the same, %v", a.format, len(got), plain.Body.Len(), err)
			}
		}
	})
}

// TestPiecesStayWhereNothingChanged: a new item makes one piece anew, or a few where names end none for long.
func TestPiecesStayWhereNothingChanged(t *testing.T) {
	all := benchPods(t, 3000)
	made := 0
	kept := &pieces{}
	ask := func(items []*store.Item) {
		for len(items) > 0 {
			n := cut(items)
			kept.find(nameOf("", items[:n]), func() *piece { made++; return &piece{} })
			items = items[n:]
		}
	}
	ask(slices.Delete(slices.Clone(all), 1500, 1501))
	before := made
	ask(all)
	if made-before > 4 {
		t.Errorf("%d pieces of %d were made anew for one item", made-before, before)
	}
}

// TestPiecesAreBounded: what nobody asks for goes.
func TestPiecesAreBounded(t *testing.T) {
	kept := &pieces{}
	for name := range uint64(1000) {
		kept.find(name, func() *piece { return &piece{blocks: make([]byte, 1<<20)} })
	}
	if n := len(kept.young) + len(kept.older); n > 2*(keptPieces>>20+1) {
		t.Errorf("%d MB are kept", n)
	}
}
