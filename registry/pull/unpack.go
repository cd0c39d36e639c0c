package pull

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a zstd layer can ask for, in bytes.
const maxWindow = 64 << 20

var gzipMagic = [2]byte{0x1f, 0x8b}

// unpack reads a layer's tar, whatever it is packed with; the first bytes tell, since media types are often wrong.
func unpack(layer io.Reader) (io.ReadCloser, error) {
	packed := bufio.NewReaderSize(layer, 128<<10)
	magic, err := packed.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(magic, gzipMagic[:]):
		return gzip.NewReader(packed)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(packed), nil
}

// copyUnpacked writes what a layer has inside.
func copyUnpacked(w io.Writer, layer io.Reader) error {
	content, err := unpack(layer)
	if err != nil {
		return fmt.Errorf("unpacking a layer: %w", err)
	}
	defer content.Close()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{content}, *buf); err != nil {
		return fmt.Errorf("unpacking a layer: %w", err)
	}
	return nil
}
