package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/opencontainers/go-digest"
)

const octetStream = "application/octet-stream"

// blobReader reads content, all of it or a range.
type blobReader struct {
	io.Reader
	io.Closer
	desc ociregistry.Descriptor
}

func (b *blobReader) Descriptor() ociregistry.Descriptor { return b.desc }

// GetBlob opens a blob of a repository.
func (r *Registry) GetBlob(ctx context.Context, repo string, d ociregistry.Digest) (ociregistry.BlobReader, error) {
	if err := r.hasBlob(repo, d); err != nil {
		return nil, err
	}
	return r.openContent(d, octetStream)
}

// GetBlobRange opens the bytes from start up to, not including, end; a negative end means the blob's end.
func (r *Registry) GetBlobRange(ctx context.Context, repo string, d ociregistry.Digest, start, end int64) (ociregistry.BlobReader, error) {
	if err := r.hasBlob(repo, d); err != nil {
		return nil, err
	}
	b, err := r.openContent(d, octetStream)
	if err != nil {
		return nil, err
	}
	if end < 0 || end > b.desc.Size {
		end = b.desc.Size
	}
	if start >= end {
		b.Close()
		return nil, fmt.Errorf("%w: the blob has %d bytes", ociregistry.ErrRangeInvalid, b.desc.Size)
	}
	file := b.Reader.(*os.File)
	if _, err := file.Seek(start, io.SeekStart); err != nil {
		b.Close()
		return nil, err
	}
	b.Reader = io.LimitReader(file, end-start)
	return b, nil
}

// ResolveBlob finds a blob's size. A client that learns here that a blob exists will not push it again, so the blob's
// time is renewed: the collector leaves it until the manifest comes.
func (r *Registry) ResolveBlob(ctx context.Context, repo string, d ociregistry.Digest) (ociregistry.Descriptor, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hasBlob(repo, d); err != nil {
		return ociregistry.Descriptor{}, err
	}
	now := time.Now()
	if err := os.Chtimes(r.linkPath(repo, blobLinks, linkName(d)), now, now); err != nil {
		return ociregistry.Descriptor{}, err
	}
	return r.statContent(d, octetStream)
}

// MountBlob gives toRepo a blob that fromRepo has.
func (r *Registry) MountBlob(ctx context.Context, fromRepo, toRepo string, d ociregistry.Digest) (ociregistry.Descriptor, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hasBlob(fromRepo, d); err != nil {
		return ociregistry.Descriptor{}, err
	}
	if err := r.writeFile(r.linkPath(toRepo, blobLinks, linkName(d)), nil); err != nil {
		return ociregistry.Descriptor{}, err
	}
	return r.statContent(d, octetStream)
}

// DeleteBlob takes a blob out of a repository. One that a manifest of the repository names is refused.
func (r *Registry) DeleteBlob(ctx context.Context, repo string, d ociregistry.Digest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hasBlob(repo, d); err != nil {
		return err
	}
	users, err := r.referenced(repo)
	if err != nil {
		return err
	}
	if by, used := users[d]; used {
		return fmt.Errorf("%w: manifest %s uses this blob", ociregistry.ErrDenied, by)
	}
	return removeFile(r.linkPath(repo, blobLinks, linkName(d)))
}

// hasBlob is nil when repo has the blob.
func (r *Registry) hasBlob(repo string, d digest.Digest) error {
	if err := checkDigest(d); err != nil {
		return err
	}
	_, err := os.Stat(r.linkPath(repo, blobLinks, linkName(d)))
	if errors.Is(err, fs.ErrNotExist) {
		return ociregistry.ErrBlobUnknown
	}
	return err
}

func (r *Registry) openContent(d digest.Digest, mediaType string) (*blobReader, error) {
	f, err := os.Open(r.contentPath(d))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &blobReader{f, f, ociregistry.Descriptor{MediaType: mediaType, Digest: d, Size: info.Size()}}, nil
}

func (r *Registry) statContent(d digest.Digest, mediaType string) (ociregistry.Descriptor, error) {
	info, err := os.Stat(r.contentPath(d))
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	return ociregistry.Descriptor{MediaType: mediaType, Digest: d, Size: info.Size()}, nil
}
