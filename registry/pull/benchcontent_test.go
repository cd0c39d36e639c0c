package pull

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// content is the greater part of a layer, packed once, so that a benchmark can have any number of layers that are new.
type content struct {
	packed []byte // a member of a gzip file that needs another before it
}

// files makes files of 16 to 200 kB, size bytes in all, of words and some noise: gzip makes 0.4 of it, as it does of
// what images usually have.
func files(t testing.TB, size int) content {
	t.Helper()
	random := rand.New(rand.NewChaCha8([32]byte{1}))
	words := make([][]byte, 1024)
	for i := range words {
		words[i] = make([]byte, 3+random.IntN(8))
		for j := range words[i] {
			words[i][j] = byte('a' + random.IntN(26))
		}
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	w := tar.NewWriter(zip)
	for n := 0; size > 0; n++ {
		length := min(size, 16<<10+random.IntN(184<<10))
		size -= length
		must(t, w.WriteHeader(&tar.Header{Name: fmt.Sprintf("d%d/file-%d", n%20, n), Mode: 0o644, Size: int64(length)}))
		data := make([]byte, 0, length+16)
		for len(data) < length {
			if random.IntN(16) == 0 {
				for range 16 {
					data = append(data, byte(random.Uint32()))
				}
			}
			data = append(append(data, words[random.IntN(len(words))]...), ' ')
		}
		_, err := w.Write(data[:length])
		must(t, err)
	}
	must(t, w.Close())
	must(t, zip.Close())
	return content{packed.Bytes()}
}

// layers makes n layers that nobody has seen: each begins with a file of its own.
func (c content) layers(t testing.TB, n int) []v1.Layer {
	t.Helper()
	var all []v1.Layer
	for range n {
		var own bytes.Buffer
		zip := gzip.NewWriter(&own)
		w := tar.NewWriter(zip)
		id := fmt.Sprintf("%x", rand.Uint64())
		must(t, w.WriteHeader(&tar.Header{Name: "own-" + id, Mode: 0o644, Size: int64(len(id))}))
		_, err := io.WriteString(w, id)
		must(t, err)
		must(t, w.Flush()) // not its end: the rest follows
		must(t, zip.Close())
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(own.Bytes()), bytes.NewReader(c.packed))), nil
		})
		must(t, err)
		all = append(all, l)
	}
	return all
}
