package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"cuelabs.dev/go/oci/ociregistry"
	"github.com/opencontainers/go-digest"
)

// upload is a blob on its way in, over one request or many. It lives as long as the process: a restart sweeps it, and
// clients start again.
type upload struct {
	repo, id, path string

	busy sync.Mutex // held by the one request that writes
	hash hash.Hash  // SHA-256 of what is written
	size int64
	used time.Time // guarded by Registry.uploadsMu
}

// PushBlob stores a blob that comes in one request.
func (r *Registry) PushBlob(ctx context.Context, repo string, desc ociregistry.Descriptor, content io.Reader) (ociregistry.Descriptor, error) {
	w, err := r.PushBlobChunked(ctx, repo, 0)
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	defer func() { _ = w.Cancel() }() // of no effect once it is committed
	n, err := io.Copy(w, content)
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	if desc.Size >= 0 && desc.Size != n {
		return ociregistry.Descriptor{}, ociregistry.ErrSizeInvalid
	}
	return w.Commit(desc.Digest)
}

// PushBlobChunked starts an upload.
func (r *Registry) PushBlobChunked(ctx context.Context, repo string, chunkSize int) (ociregistry.BlobWriter, error) {
	id := rand.Text()
	u := &upload{repo: repo, id: id, path: filepath.Join(r.uploadDir(), id), hash: sha256.New(), used: time.Now()}
	r.uploadsMu.Lock()
	defer r.uploadsMu.Unlock()
	if len(r.uploads) >= r.cfg.MaxUploads {
		return nil, fmt.Errorf("%w: %d uploads are open", ociregistry.ErrTooManyRequests, len(r.uploads))
	}
	f, err := os.OpenFile(u.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	r.uploads[id] = u
	u.busy.Lock()
	return &uploadWriter{r: r, u: u, file: f}, nil
}

// PushBlobChunkedResume goes on with an upload. Where the request names an offset, it must be the upload's end.
func (r *Registry) PushBlobChunkedResume(ctx context.Context, repo, id string, _ int64, chunkSize int) (ociregistry.BlobWriter, error) {
	r.uploadsMu.Lock()
	defer r.uploadsMu.Unlock()
	u := r.uploads[id]
	if u == nil || u.repo != repo {
		return nil, ociregistry.ErrBlobUploadUnknown
	}
	if !u.busy.TryLock() {
		return nil, fmt.Errorf("%w: another request is writing this upload", ociregistry.ErrTooManyRequests)
	}
	w, err := r.reopen(ctx, u)
	if err != nil {
		u.busy.Unlock()
		return nil, err
	}
	u.used = time.Now()
	return w, nil
}

func (r *Registry) reopen(ctx context.Context, u *upload) (*uploadWriter, error) {
	if offset, ok := explicitOffset(ctx); ok && offset != u.size {
		return nil, fmt.Errorf("%w: the upload has %d bytes, the chunk starts at %d", ociregistry.ErrRangeInvalid, u.size, offset)
	}
	f, err := os.OpenFile(u.path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	return &uploadWriter{r: r, u: u, file: f}, nil
}

// forget ends an upload's life, whether it became a blob or not.
func (r *Registry) forget(u *upload) {
	r.uploadsMu.Lock()
	delete(r.uploads, u.id)
	r.uploadsMu.Unlock()
	_ = os.Remove(u.path) // renamed when it became a blob; swept at the next start otherwise
}

// uploadWriter is one request's hold on an upload.
type uploadWriter struct {
	r      *Registry
	u      *upload
	file   *os.File
	closed bool
}

func (w *uploadWriter) ID() string     { return w.u.id }
func (w *uploadWriter) Size() int64    { return w.u.size }
func (w *uploadWriter) ChunkSize() int { return 0 } // any size will do

func (w *uploadWriter) Write(p []byte) (int, error) {
	if w.u.size+int64(len(p)) > w.r.cfg.MaxBlobSize {
		return 0, fmt.Errorf("%w: a blob may have at most %d bytes", ociregistry.ErrSizeInvalid, w.r.cfg.MaxBlobSize)
	}
	n, err := w.file.Write(p)
	w.u.hash.Write(p[:n])
	w.u.size += int64(n)
	return n, err
}

// Close lets the upload go; another request may go on with it.
func (w *uploadWriter) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	defer w.u.busy.Unlock()
	return w.file.Close()
}

// Cancel throws the upload away, unless it was committed or let go.
func (w *uploadWriter) Cancel() error {
	if w.closed {
		return nil
	}
	w.r.forget(w.u)
	return w.Close()
}

// Commit makes the upload a blob of its repository when its content has the digest; otherwise the upload is gone.
func (w *uploadWriter) Commit(d ociregistry.Digest) (ociregistry.Descriptor, error) {
	defer w.Close()
	defer w.r.forget(w.u)
	if err := checkDigest(d); err != nil {
		return ociregistry.Descriptor{}, err
	}
	got, err := w.digest(d.Algorithm())
	if err != nil {
		return ociregistry.Descriptor{}, err
	}
	if got != d {
		return ociregistry.Descriptor{}, fmt.Errorf("%w: the content's digest is %s", ociregistry.ErrDigestInvalid, got)
	}
	if err := w.file.Sync(); err != nil { // the long part, before the lock
		return ociregistry.Descriptor{}, err
	}
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if err := w.r.publish(w.file, w.r.contentPath(d)); err != nil {
		return ociregistry.Descriptor{}, err
	}
	if err := w.r.writeFile(w.r.linkPath(w.u.repo, blobLinks, linkName(d)), nil); err != nil {
		return ociregistry.Descriptor{}, err
	}
	return ociregistry.Descriptor{MediaType: octetStream, Digest: d, Size: w.u.size}, nil
}

// digest is the written content's; algorithms other than SHA-256 read it once more.
func (w *uploadWriter) digest(a digest.Algorithm) (digest.Digest, error) {
	if a == digest.SHA256 {
		return digest.NewDigest(a, w.u.hash), nil
	}
	return a.FromReader(io.NewSectionReader(w.file, 0, w.u.size))
}
