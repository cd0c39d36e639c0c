package imagevolume

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/sys/unix"
)

// fill lays an image's layers over each other in root. Its archive lies in work meanwhile: what is in it stands at its
// end, in some engines'.
func (s *Store) fill(ctx context.Context, imageID, work, root string) error {
	room, err := newBudget(s.Limits, work)
	if err != nil {
		return err
	}
	archive := filepath.Join(work, "archive.tar")
	if err := s.fetch(ctx, imageID, archive, *room); err != nil {
		return err
	}
	defer os.Remove(archive)
	if room, err = newBudget(s.Limits, work); err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return fmt.Errorf("reading the engine's archive: %w", err)
	}
	layers, err := image.Layers()
	if err != nil {
		return fmt.Errorf("reading the engine's archive: %w", err)
	}
	t, err := openTree(root, room)
	if err != nil {
		return err
	}
	defer t.close()
	for i, l := range layers {
		if err := t.lay(ctx, l); err != nil {
			return fmt.Errorf("layer %d of %d: %w", i+1, len(layers), err)
		}
	}
	return t.finish()
}

// fetch brings the image's archive into a file.
func (s *Store) fetch(ctx context.Context, imageID, path string, room budget) error {
	archive, err := s.Engine.SaveImage(ctx, imageID)
	if err != nil {
		return err
	}
	defer archive.Close()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(io.MultiWriter(&room, file), archive); err != nil {
		return fmt.Errorf("taking it out of the engine: %w", err)
	}
	return file.Close()
}

// syncAll has the kernel write the file system that dir is on.
func syncAll(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}
