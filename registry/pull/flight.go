package pull

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// flight is a layer on its way, and those who wait for it.
type flight struct {
	done   chan struct{}
	err    error // once done
	cancel context.CancelFunc

	// waiting, ended and watchers are guarded by the cache's lock.
	waiting  int
	ended    bool // it is being given up
	watchers map[*func(int64)]bool

	mu      sync.Mutex
	partial *partial      // once it is being downloaded; nil for a layer that is here
	begun   chan struct{} // closed when partial is set
}

// downloader brings what is missing of a layer; it tells watch how many bytes are here.
type downloader func(ctx context.Context, p *partial, watch func(n int64)) error

// join waits with others for a layer on its way, or starts it.
func (c *cache) join(l layer, get downloader, watch *func(int64)) *flight {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[l.digest]
	if f == nil || f.ended {
		previous := f
		ctx, cancel := context.WithCancel(context.Background())
		f = &flight{done: make(chan struct{}), cancel: cancel, watchers: map[*func(int64)]bool{}, begun: make(chan struct{})}
		c.flights[l.digest] = f
		go c.fly(ctx, f, previous, l, get)
	}
	f.waiting++
	f.watchers[watch] = true
	return f
}

// leave ends one's waiting; a layer that nobody waits for is given up.
func (c *cache) leave(f *flight, watch *func(int64)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(f.watchers, watch)
	if f.waiting--; f.waiting > 0 {
		return
	}
	if c.linger == 0 {
		f.giveUp()
		return
	}
	time.AfterFunc(c.linger, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if f.waiting == 0 {
			f.giveUp()
		}
	})
}

// giveUp ends a download. The caller holds the cache's lock.
func (f *flight) giveUp() {
	f.ended = true
	f.cancel()
}

// fly brings one layer, after an earlier flight of it has landed.
func (c *cache) fly(ctx context.Context, f, previous *flight, l layer, get downloader) {
	defer f.cancel()
	if previous != nil {
		<-previous.done
	}
	f.err = c.bring(ctx, f, l, get)
	c.mu.Lock()
	if c.flights[l.digest] == f {
		delete(c.flights, l.digest)
	}
	c.mu.Unlock()
	close(f.done)
}

// bring downloads the rest of a layer and gives it its name, or keeps what came for another time unless it is corrupt.
func (c *cache) bring(ctx context.Context, f *flight, l layer, get downloader) error {
	tell := func(n int64) { c.tell(f, n) }
	if have, err := c.has(l); have || err != nil {
		tell(l.size)
		return err
	}
	p, err := c.take(l)
	if err != nil {
		return err
	}
	f.begin(p)
	if err := get(ctx, p, tell); err != nil {
		return errors.Join(err, c.keep(l, p, err))
	}
	defer p.close()
	if err := p.verify(l.digest); err != nil {
		return errors.Join(err, removePartial(p.file.Name()))
	}
	return c.adopt(l, p)
}

func (f *flight) begin(p *partial) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.partial = p
	close(f.begun)
}

func (c *cache) tell(f *flight, n int64) {
	c.mu.Lock()
	watchers := make([]func(int64), 0, len(f.watchers))
	for w := range f.watchers {
		if *w != nil {
			watchers = append(watchers, *w)
		}
	}
	c.mu.Unlock()
	for _, w := range watchers {
		w(n)
	}
}

// layerReader reads a layer that may still be on its way. The last byte is only given once the digest of all of them
// has been found right: whoever has read to the end has read the layer.
type layerReader struct {
	ctx    context.Context
	cache  *cache
	layer  layer
	flight *flight
	watch  func(int64)

	at   int64
	file io.ReaderAt
	done func()
}

// stream begins to read a layer, after starting its download if need be. The download ends when nobody waits for it any
// more. Reading ends with ctx; the caller closes the reader.
func (c *cache) stream(ctx context.Context, l layer, get downloader, watch func(n int64)) *layerReader {
	r := &layerReader{ctx: ctx, cache: c, layer: l, watch: watch}
	r.flight = c.join(l, get, &r.watch)
	return r
}

// wait returns once the layer is here, whole and verified.
func (r *layerReader) wait() error {
	select {
	case <-r.flight.done:
		return r.flight.err
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

func (r *layerReader) Read(b []byte) (int, error) {
	if r.at >= r.layer.size {
		if err := r.wait(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	end, err := r.ready()
	if err != nil {
		return 0, err
	}
	n, err := r.file.ReadAt(b[:min(int64(len(b)), end-r.at)], r.at)
	r.at += int64(n)
	if errors.Is(err, io.EOF) { // the file is as long as the layer, unless somebody has cut it
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// ready waits until there is something to read; the bytes before end are here.
func (r *layerReader) ready() (end int64, err error) {
	for {
		var grown <-chan struct{}
		if r.file == nil {
			if err := r.open(); err != nil {
				return 0, err
			}
		}
		if p, ok := r.file.(*partial); ok {
			if end, grown = p.available(r.at); min(end, r.layer.size-1) > r.at {
				return min(end, r.layer.size-1), nil
			}
		}
		select {
		case <-r.flight.done:
			return r.layer.size, r.flight.err
		default:
		}
		select {
		case <-r.flight.done:
		case <-grown:
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
}

// open waits until the layer has begun to come, or is found here.
func (r *layerReader) open() error {
	select {
	case <-r.flight.begun:
		if p := r.flight.partial; p.use() {
			r.file, r.done = p, p.close
			return nil
		}
	case <-r.flight.done:
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
	if err := r.wait(); err != nil {
		return err
	}
	file, err := r.cache.file(r.layer)
	if err == nil {
		r.file, r.done = file, func() { _ = file.Close() }
	}
	return err
}

// Seek makes the reader an io.ReadSeeker, for answers in ranges.
func (r *layerReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.layer.size
	}
	if offset < 0 {
		return 0, os.ErrInvalid
	}
	r.at = offset
	return offset, nil
}

// failed is what went wrong so far, for readers who were only told of an end.
func (r *layerReader) failed() error {
	select {
	case <-r.flight.done:
		return errors.Join(r.flight.err, r.ctx.Err())
	default:
		return r.ctx.Err()
	}
}

// Close ends the waiting for the layer.
func (r *layerReader) Close() error {
	if r.done != nil {
		r.done()
	}
	r.cache.leave(r.flight, &r.watch)
	return nil
}
