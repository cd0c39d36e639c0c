package command

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	dockerclient "github.com/moby/moby/client"
)

// The annotations by which an OCI layout says what its images are called.
const (
	layoutTag  = "org.opencontainers.image.ref.name"
	layoutName = "io.containerd.image.name"
)

// saveArchive writes images as docker save does. The file is there when all of it is.
func saveArchive(path string, images map[name.Reference]v1.Image) error {
	return writeWhole(path, func(w io.Writer) error { return tarball.MultiRefWrite(images, w) })
}

// writeWhole writes a file under another name, and gives it its own when nothing failed.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".image-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of no effect once it is renamed
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// saveLayout puts an image or an index into the OCI layout in a folder, which is made when it is missing. What had its
// name there is replaced.
func saveLayout(dir string, ref name.Reference, image remote.Taggable) error {
	path, err := layout.FromPath(dir)
	if errors.Is(err, os.ErrNotExist) {
		path, err = layout.Write(dir, empty.Index)
	}
	if err != nil {
		return fmt.Errorf("opening the OCI layout %s: %w", dir, err)
	}
	called := layout.WithAnnotations(map[string]string{layoutTag: ref.Identifier(), layoutName: ref.Name()})
	former := match.Annotation(layoutName, ref.Name())
	if index, ok := image.(v1.ImageIndex); ok {
		return path.ReplaceIndex(index, former, called)
	}
	return path.ReplaceImage(image.(v1.Image), former, called)
}

// saveLayoutTar writes an OCI layout of one image or index into a tar.
func saveLayoutTar(path string, ref name.Reference, image remote.Taggable) error {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".layout-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := saveLayout(dir, ref, image); err != nil {
		return err
	}
	return writeWhole(path, func(w io.Writer) error {
		out := tar.NewWriter(w)
		return errors.Join(out.AddFS(os.DirFS(dir)), out.Close())
	})
}

// connectEngine finds the Docker Engine of this machine.
func connectEngine(ctx context.Context) (*dockerclient.Client, error) {
	engine, err := dockerclient.New(dockerclient.FromEnv)
	if err != nil {
		return nil, err
	}
	if _, err := engine.Ping(ctx, dockerclient.PingOptions{}); err != nil {
		engine.Close()
		return nil, fmt.Errorf("no Docker Engine is reached from here (set DOCKER_HOST for another than the local one): %w", err)
	}
	return engine, nil
}

// enginePlatform is what an engine runs.
func enginePlatform(ctx context.Context, engine *dockerclient.Client) (*v1.Platform, error) {
	version, err := engine.ServerVersion(ctx, dockerclient.ServerVersionOptions{})
	if err != nil {
		return nil, err
	}
	return &v1.Platform{OS: version.Os, Architecture: version.Arch}, nil
}

// loadIntoEngine gives an engine an image under a name.
func loadIntoEngine(ctx context.Context, engine *dockerclient.Client, ref name.Reference, img v1.Image) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(tarball.Write(ref, img, w)) }()
	defer r.Close() // ends the writing, when the engine wants no more
	answer, err := engine.ImageLoad(ctx, r)
	if err != nil {
		return fmt.Errorf("loading %s into Docker: %w", ref, err)
	}
	defer answer.Close()
	if err := engineStream(answer, nil); err != nil {
		return fmt.Errorf("loading %s into Docker: %w", ref, err)
	}
	return nil
}

// engineMessage is a line of what an engine says while it works.
type engineMessage struct {
	Stream string          `json:"stream"`
	Error  string          `json:"error"`
	Aux    json.RawMessage `json:"aux"`
}

// engineStream reads what an engine says until it is done; its error is the engine's.
func engineStream(r io.Reader, each func(engineMessage)) error {
	for d := json.NewDecoder(r); ; {
		var m engineMessage
		switch err := d.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != "":
			return errors.New(m.Error)
		}
		if each != nil {
			each(m)
		}
	}
}
