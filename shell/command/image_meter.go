package command

import (
	"io"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// imageMeter counts the bytes of layers as they are read, for a progress bar.
type imageMeter struct {
	total, done atomic.Int64
	updates     chan<- v1.Update
}

func (m *imageMeter) read(n int) {
	m.updates <- v1.Update{Total: m.total.Load(), Complete: m.done.Add(int64(n))}
}

// over is an image or an index that is counted when it is read.
func (m *imageMeter) over(image remote.Taggable) remote.Taggable {
	if index, ok := image.(v1.ImageIndex); ok {
		return &meteredIndex{index, m}
	}
	return &meteredImage{image.(v1.Image), m}
}

type imageIndex v1.ImageIndex // so that its name leaves room for its methods

type meteredIndex struct {
	imageIndex
	meter *imageMeter
}

func (i *meteredIndex) Image(h v1.Hash) (v1.Image, error) {
	img, err := i.imageIndex.Image(h)
	return &meteredImage{img, i.meter}, err
}

func (i *meteredIndex) ImageIndex(h v1.Hash) (v1.ImageIndex, error) {
	index, err := i.imageIndex.ImageIndex(h)
	return &meteredIndex{index, i.meter}, err
}

type meteredImage struct {
	v1.Image
	meter *imageMeter
}

func (i *meteredImage) Layers() ([]v1.Layer, error) {
	layers, err := i.Image.Layers()
	out := make([]v1.Layer, len(layers))
	for n, layer := range layers {
		out[n] = meteredLayer{layer, i.meter}
	}
	return out, err
}

type meteredLayer struct {
	v1.Layer
	meter *imageMeter
}

func (l meteredLayer) Compressed() (io.ReadCloser, error) {
	r, err := l.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	if size, err := l.Size(); err == nil {
		l.meter.total.Add(size)
	}
	return meteredReader{r, l.meter}, nil
}

type meteredReader struct {
	io.ReadCloser
	meter *imageMeter
}

func (r meteredReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if n > 0 {
		r.meter.read(n)
	}
	return n, err
}
