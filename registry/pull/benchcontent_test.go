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
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// content is the greater part of a layer, packed once, so that a benchmark can have any number of layers that are new.
type content struct {
	raw, packed []byte // packed is a member of a gzip file that needs another before it
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
	var raw bytes.Buffer
	zip := gzip.NewWriter(&packed)
	w := tar.NewWriter(io.MultiWriter(zip, &raw))
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
	return content{raw.Bytes(), packed.Bytes()}
}

// layers makes n layers that nobody has seen: each begins with a file of its own.
func (c content) layers(t testing.TB, n int) []v1.Layer {
	t.Helper()
	var all []v1.Layer
	for range n {
		var raw, packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		w := tar.NewWriter(io.MultiWriter(zip, &raw))
		id := fmt.Sprintf("%x", rand.Uint64())
		must(t, w.WriteHeader(&tar.Header{Name: "own-" + id, Mode: 0o644, Size: int64(len(id))}))
		_, err := io.WriteString(w, id)
		must(t, err)
		must(t, w.Flush()) // not its end: the rest follows
		must(t, zip.Close())
		all = append(all, joined{raw: [2][]byte{raw.Bytes(), c.raw}, packed: [2][]byte{packed.Bytes(), c.packed}})
	}
	return all
}

// joined is a layer of two parts, which are not copied.
type joined struct{ raw, packed [2][]byte }

func reader(parts [2][]byte) io.Reader {
	return io.MultiReader(bytes.NewReader(parts[0]), bytes.NewReader(parts[1]))
}

func (j joined) Digest() (v1.Hash, error) { h, _, err := v1.SHA256(reader(j.packed)); return h, err }
func (j joined) DiffID() (v1.Hash, error) { h, _, err := v1.SHA256(reader(j.raw)); return h, err }
func (j joined) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(reader(j.packed)), nil
}
func (j joined) Uncompressed() (io.ReadCloser, error) { return io.NopCloser(reader(j.raw)), nil }
func (j joined) Size() (int64, error)                 { return int64(len(j.packed[0]) + len(j.packed[1])), nil }
func (j joined) MediaType() (types.MediaType, error)  { return types.OCILayer, nil }
