package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const octetStream = "application/octet-stream"

// Content is a blob or a manifest, open for reading. The caller closes it.
type Content struct {
	*os.File
	ocispec.Descriptor
}

// GetBlob opens a blob of a repository.
func (r *Registry) GetBlob(_ context.Context, repo string, d digest.Digest) (*Content, error) {
	if err := r.hasBlob(repo, d); err != nil {
		return nil, err
	}
	return r.openContent(d, octetStream)
}

// ResolveBlob finds a blob's size. A client that learns here that a blob exists will not push it again, so the blob's
// time is renewed: the collector leaves it until the manifest comes.
func (r *Registry) ResolveBlob(_ context.Context, repo string, d digest.Digest) (ocispec.Descriptor, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hasBlob(repo, d); err != nil {
		return ocispec.Descriptor{}, err
	}
	r.changed(repo)
	now := time.Now()
	if err := os.Chtimes(r.linkPath(repo, blobLinks, linkName(d)), now, now); err != nil {
		return ocispec.Descriptor{}, err
	}
	return r.statContent(d, octetStream)
}

// PushBlob stores a blob that comes as one stream; size is what the client said, -1 when it said nothing.
func (r *Registry) PushBlob(_ context.Context, repo string, d digest.Digest, size int64, content io.Reader) error {
	upload, err := r.startBlob(repo)
	if err != nil {
		return err
	}
	defer upload.Cancel() // of no effect once it is committed
	if err := upload.copy(content); err != nil {
		return err
	}
	if size >= 0 && size != upload.Size() {
		return fmt.Errorf("%w: %d bytes came, not %d", ErrSizeInvalid, upload.Size(), size)
	}
	return upload.Commit(d)
}

// MountBlob gives the repository to a blob that from has.
func (r *Registry) MountBlob(_ context.Context, from, to string, d digest.Digest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hasBlob(from, d); err != nil {
		return err
	}
	desc, err := r.statContent(d, octetStream)
	if err != nil {
		return err
	}
	r.changed(to, d)
	if err := r.admit(to, blobLinks, d, desc.Size); err != nil {
		return err
	}
	return r.writeFile(r.linkPath(to, blobLinks, linkName(d)), nil)
}

// DeleteBlob takes a blob out of a repository. One that a manifest of the repository names is refused.
func (r *Registry) DeleteBlob(_ context.Context, repo string, d digest.Digest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hasBlob(repo, d); err != nil {
		return err
	}
	state, err := r.observe(repo)
	if err != nil {
		return err
	}
	if by, used := state.user(d); used {
		return fmt.Errorf("%w: manifest %s uses this blob", ErrDenied, by)
	}
	r.changed(repo)
	delete(r.usage.repos, repo)
	return r.removeFile(r.linkPath(repo, blobLinks, linkName(d)))
}

// hasBlob is nil when repo has the blob.
func (r *Registry) hasBlob(repo string, d digest.Digest) error {
	if err := checkDigest(d); err != nil {
		return err
	}
	_, err := os.Stat(r.linkPath(repo, blobLinks, linkName(d)))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrBlobUnknown
	}
	return err
}

func (r *Registry) openContent(d digest.Digest, mediaType string) (*Content, error) {
	f, err := os.Open(r.contentPath(d))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Content{f, ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: info.Size()}}, nil
}

func (r *Registry) statContent(d digest.Digest, mediaType string) (ocispec.Descriptor, error) {
	info, err := os.Stat(r.contentPath(d))
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: info.Size()}, nil
}
