package pull

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

// load hands the image to the engine as an archive, which needs no way from the engine to this process.
func (p *Puller) load(ctx context.Context, img *image, shared *pullShare) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := p.writeArchive(ctx, w, img, shared)
		w.CloseWithError(err)
		return err
	})
	group.Go(func() error {
		err := p.engineLoad(ctx, r)
		r.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // ends a writer that the engine no longer reads
		return err
	})
	return group.Wait()
}

// engineLoad has the engine read the archive, and reads its account, where it reports failure.
func (p *Puller) engineLoad(ctx context.Context, archive io.Reader) error {
	result, err := p.cfg.Engine.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return fmt.Errorf("loading the image into the engine: %w", err)
	}
	defer result.Close()
	for dec := json.NewDecoder(result); ; {
		var msg jsonstream.Message
		if err := dec.Decode(&msg); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("loading the image into the engine: %w", err)
		}
		if msg.Error != nil {
			return fmt.Errorf("loading the image into the engine: %w", msg.Error)
		}
	}
}

// writeArchive writes a docker archive. All layers download at once, the base first, and go into it in order.
func (p *Puller) writeArchive(ctx context.Context, w io.Writer, img *image, shared *pullShare) error {
	group, ctx := errgroup.WithContext(ctx)
	files := make([]chan *os.File, len(img.layers))
	for rank, l := range img.layers {
		files[rank] = make(chan *os.File, 1)
		f := p.newFetch(img, l, shared, rank)
		group.Go(func() error {
			defer close(files[rank])
			file, err := p.cache.open(p.cache.stream(ctx, l, f.run, func(n int64) { shared.meter.set(l.diffID, n) }))
			if err == nil {
				files[rank] <- file
			}
			return err
		})
	}
	out := tar.NewWriter(w)
	group.Go(func() error { return writeImage(out, img, files) })
	err := group.Wait()
	for _, c := range files {
		for file := range c { // what was not written any more
			file.Close()
		}
	}
	return errors.Join(err, out.Close())
}

// errLayerMissing ends the writing when a download failed; the download's own error comes first.
var errLayerMissing = errors.New("a layer is missing")

func writeImage(out *tar.Writer, img *image, files []chan *os.File) error {
	entry := struct {
		Config           string
		RepoTags, Layers []string
	}{Config: img.configName.Hex + ".json", RepoTags: []string{img.tag}}
	if err := writeEntry(out, entry.Config, img.config); err != nil {
		return err
	}
	written := map[string]bool{}
	for i, l := range img.layers {
		name := l.diffID.Hex + "/layer.tar"
		entry.Layers = append(entry.Layers, name)
		file, ok := <-files[i]
		if !ok {
			return errLayerMissing
		}
		if written[name] {
			file.Close()
			continue
		}
		written[name] = true
		if err := writeLayer(out, name, file); err != nil {
			return fmt.Errorf("layer %s: %w", l.digest, err)
		}
	}
	data, err := json.Marshal([]any{entry})
	if err != nil {
		return err
	}
	return writeEntry(out, "manifest.json", data)
}

// writeLayer writes a layer unpacked, since older engines do not know every packing. A tar's entry starts with its
// size, so the layer is unpacked twice: once to count.
func writeLayer(out *tar.Writer, name string, file *os.File) error {
	defer file.Close()
	var size counter
	if err := copyUnpacked(&size, file); err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := out.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(size), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	return copyUnpacked(out, file)
}

func writeEntry(out *tar.Writer, name string, data []byte) error {
	if err := out.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := out.Write(data)
	return err
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
