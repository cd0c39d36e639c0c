package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
)

// packed is a document that is kept compressed, since it is large, much alike, and seldom asked for.
type packed []byte

func pack(data []byte) (packed, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("packing an OpenAPI document: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing an OpenAPI document: %w", err)
	}
	return bytes.Clone(out.Bytes()), nil
}

func (p packed) unpack() ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(p))
	if err != nil {
		return nil, fmt.Errorf("unpacking an OpenAPI document: %w", err)
	}
	return io.ReadAll(r)
}

// encoded is one document in both its forms.
type encoded struct{ json, protobuf packed }

// version is the document of one group version.
type version struct {
	json packed
	hash string
}

func newVersion(data []byte) (version, error) {
	json, err := pack(data)
	return version{json: json, hash: fmt.Sprintf("%X", sha256.Sum256(data))}, err
}
