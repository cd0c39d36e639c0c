package command

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/daemon"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	dockerclient "github.com/moby/moby/client"
)

// namedImage is an image, or an index of images, and what its source calls it; the name may be empty.
type namedImage struct {
	name  string
	image remote.Taggable
}

// imageSource is where images come from. Their bytes are read until close.
type imageSource struct {
	images []namedImage
	close  func()
}

// openImages reads what is in a file, a folder or the local Docker.
func openImages(ctx context.Context, from imagePlace) (imageSource, error) {
	if from.kind == enginePlace {
		return fromDocker(ctx, from.at)
	}
	info, err := os.Stat(from.at)
	if errors.Is(err, fs.ErrNotExist) {
		return imageSource{}, fmt.Errorf("%s is no file here", from.at)
	}
	if err != nil {
		return imageSource{}, err
	}
	if info.IsDir() {
		images, err := fromLayout(from.at)
		return imageSource{images, func() {}}, err
	}
	return fromTar(from.at)
}

// fromDocker takes an image of the local Docker through a temporary file.
func fromDocker(ctx context.Context, source string) (imageSource, error) {
	ref, err := name.ParseReference(source)
	if err != nil {
		return imageSource{}, fmt.Errorf("%s is no file here and no image's name: %w", source, err)
	}
	c, err := dockerclient.New(dockerclient.FromEnv)
	if err != nil {
		return imageSource{}, err
	}
	img, err := daemon.Image(ref, daemon.WithContext(ctx), daemon.WithClient(c), daemon.WithFileBufferedOpener())
	if err != nil {
		c.Close()
		return imageSource{}, fmt.Errorf("%s is no file here, and the local Docker does not give such an image: %w", source, err)
	}
	return imageSource{[]namedImage{{ownName(source), img}}, func() { c.Close() }}, nil
}

// ownName is what an image of another registry is called in the cluster's: its path and tag.
func ownName(ref string) string {
	n, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	tagged, ok := reference.TagNameOnly(n).(reference.Tagged)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(reference.Path(n), "library/") + ":" + tagged.Tag()
}

// fromTar opens an archive of docker save, or an OCI layout in a tar; either may be packed with gzip.
func fromTar(path string) (imageSource, error) {
	opener := func() (io.ReadCloser, error) { return openTar(path) }
	isDocker, isOCI, err := lookInside(opener)
	switch {
	case err != nil:
		return imageSource{}, fmt.Errorf("%s is no image archive: %w", path, err)
	case isDocker:
		images, err := fromArchive(opener)
		if err != nil {
			err = fmt.Errorf("reading %s: %w", path, err)
		}
		return imageSource{images, func() {}}, err
	case isOCI:
		return fromLayoutTar(opener)
	}
	return imageSource{}, fmt.Errorf("%s is no image archive: it has neither manifest.json nor index.json", path)
}

// fromArchive reads each image of an archive of docker save.
func fromArchive(opener tarball.Opener) ([]namedImage, error) {
	manifest, err := tarball.LoadManifest(opener)
	if err != nil {
		return nil, err
	}
	var images []namedImage
	for _, m := range manifest {
		var tag *name.Tag
		called := ""
		if len(m.RepoTags) > 0 {
			t, err := name.NewTag(m.RepoTags[0])
			if err != nil {
				return nil, err
			}
			tag, called = &t, ownName(m.RepoTags[0])
		} else if len(manifest) > 1 {
			return nil, errors.New("it holds several images, and one has no name")
		}
		img, err := tarball.Image(opener, tag)
		if err != nil {
			return nil, err
		}
		images = append(images, namedImage{called, img})
	}
	return images, nil
}

// fromLayoutTar unpacks an OCI layout into a temporary directory.
func fromLayoutTar(opener tarball.Opener) (imageSource, error) {
	dir, err := os.MkdirTemp("", "leme-image-")
	if err != nil {
		return imageSource{}, err
	}
	remove := func() { os.RemoveAll(dir) }
	err = unpackLayout(opener, dir)
	var images []namedImage
	if err == nil {
		images, err = fromLayout(dir)
	}
	if err != nil {
		remove()
		return imageSource{}, err
	}
	return imageSource{images, remove}, nil
}

// fromLayout reads an OCI layout: its one image, or all of it as an index.
func fromLayout(dir string) ([]namedImage, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("%s is no OCI layout: %w", dir, err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(m.Manifests) == 0 {
		return nil, fmt.Errorf("the OCI layout %s is empty", dir)
	}
	if len(m.Manifests) > 1 {
		return []namedImage{{"", index}}, nil
	}
	return oneOf(index, m.Manifests[0])
}

func oneOf(index v1.ImageIndex, d v1.Descriptor) ([]namedImage, error) {
	called := d.Annotations["io.containerd.image.name"]
	if called == "" && strings.Contains(d.Annotations["org.opencontainers.image.ref.name"], ":") {
		called = d.Annotations["org.opencontainers.image.ref.name"]
	}
	if called != "" {
		called = ownName(called)
	}
	if d.MediaType.IsIndex() {
		child, err := index.ImageIndex(d.Digest)
		return []namedImage{{called, child}}, err
	}
	img, err := index.Image(d.Digest)
	return []namedImage{{called, img}}, err
}

// openTar opens a tar, through gzip where it is packed.
func openTar(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewReader(f)
	if magic, _ := buffered.Peek(2); len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return readCloser{buffered, f}, nil
	}
	unpacked, err := gzip.NewReader(buffered)
	if err != nil {
		f.Close()
		return nil, err
	}
	return readCloser{unpacked, f}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// eachEntry calls fn with the entries of a tar until it returns false.
func eachEntry(opener tarball.Opener, fn func(*tar.Header, io.Reader) (bool, error)) error {
	f, err := opener()
	if err != nil {
		return err
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if more, err := fn(h, r); err != nil || !more {
			return err
		}
	}
}

// lookInside tells the two kinds of archives apart. Newer Dockers save both in one; docker's then has the names.
func lookInside(opener tarball.Opener) (docker, oci bool, err error) {
	err = eachEntry(opener, func(h *tar.Header, _ io.Reader) (bool, error) {
		switch strings.TrimPrefix(h.Name, "./") {
		case "manifest.json":
			docker = true
		case "index.json":
			oci = true
		}
		return !docker, nil
	})
	return docker, oci, err
}

// unpackLayout writes the files of an OCI layout under dir, and nothing outside it.
func unpackLayout(opener tarball.Opener, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return eachEntry(opener, func(h *tar.Header, r io.Reader) (bool, error) {
		path := filepath.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(path) {
			return true, nil
		}
		if err := root.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return false, err
		}
		f, err := root.Create(path)
		if err != nil {
			return false, err
		}
		_, err = io.Copy(f, r)
		return true, errors.Join(err, f.Close())
	})
}
