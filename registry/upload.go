package registry

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// upload is a blob on its way in, over one request or many. One that takes many outlives the process: see restoreUploads.
type upload struct {
	repo, id, path string

	busy sync.Mutex // held by the one request that writes
	hash hash.Hash  // SHA-256 of what is written; nil when an earlier process has written some of it
	size int64
	used time.Time // guarded by Registry.uploadsMu
}

// anyOffset stands for the end of an upload, wherever that is.
const anyOffset = -1

// StartUpload begins a blob of a repository, which any number of requests may go on with.
func (r *Registry) StartUpload(repo string) (*Upload, error) {
	upload, err := r.startBlob(repo)
	if err != nil {
		return nil, err
	}
	if err := os.Symlink(repo, upload.u.path+uploadOf); err != nil {
		upload.Cancel()
		return nil, err
	}
	return upload, nil
}

// startBlob begins a blob that comes in one request. A kill ends it.
func (r *Registry) startBlob(repo string) (*Upload, error) {
	id := rand.Text()
	u := &upload{repo: repo, id: id, path: filepath.Join(r.uploadDir(), id), hash: sha256.New(), used: time.Now()}
	r.uploadsMu.Lock()
	defer r.uploadsMu.Unlock()
	if len(r.uploads) >= r.cfg.MaxUploads {
		return nil, fmt.Errorf("%w: %d uploads are open", ErrTooManyRequests, len(r.uploads))
	}
	f, err := os.OpenFile(u.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	r.uploads[id] = u
	u.busy.Lock()
	return &Upload{r: r, u: u, file: f}, nil
}

// ResumeUpload goes on with an upload. Unless offset is negative it must be the upload's end.
func (r *Registry) ResumeUpload(repo, id string, offset int64) (*Upload, error) {
	r.uploadsMu.Lock()
	defer r.uploadsMu.Unlock()
	u := r.uploads[id]
	if u == nil || u.repo != repo {
		return nil, ErrBlobUploadUnknown
	}
	if !u.busy.TryLock() {
		return nil, fmt.Errorf("%w: another request is writing this upload", ErrTooManyRequests)
	}
	w, err := r.reopen(u, offset)
	if err != nil {
		u.busy.Unlock()
		return nil, err
	}
	u.used = time.Now()
	return w, nil
}

func (r *Registry) reopen(u *upload, offset int64) (*Upload, error) {
	if offset >= 0 && offset != u.size {
		return nil, fmt.Errorf("%w: the upload has %d bytes, the chunk starts at %d", errRangeInvalid, u.size, offset)
	}
	f, err := os.OpenFile(u.path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	return &Upload{r: r, u: u, file: f}, nil
}

// forget ends an upload's life, whether it became a blob or not. The caller holds u.busy.
func (r *Registry) forget(u *upload) {
	r.uploadsMu.Lock()
	_, open := r.uploads[u.id]
	delete(r.uploads, u.id)
	r.uploadsMu.Unlock()
	if open {
		r.usage.coming.Add(-u.size)
	}
	_ = os.Remove(u.path + uploadOf)
	_ = os.Remove(u.path) // renamed when it became a blob; swept at the next start otherwise
}

// Upload is one request's hold on a blob that comes in. It ends with Close, Cancel or Commit.
type Upload struct {
	r      *Registry
	u      *upload
	file   *os.File
	failed error // of a write, as opposed to what was to be written
	closed bool
}

// Size is how much has come, in bytes.
func (w *Upload) Size() int64 { return w.u.size }

// Write appends, within the bounds of blobs and of the registry.
func (w *Upload) Write(p []byte) (int, error) {
	n, err := w.write(p)
	w.failed = err
	return n, err
}

func (w *Upload) write(p []byte) (int, error) {
	if w.u.size+int64(len(p)) > w.r.cfg.MaxBlobSize {
		return 0, fmt.Errorf("%w: a blob may have at most %d bytes", ErrSizeInvalid, w.r.cfg.MaxBlobSize)
	}
	if err := w.r.usage.room(int64(len(p)), w.r.cfg.Quota); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	if w.u.hash != nil {
		w.u.hash.Write(p[:n])
	}
	w.u.size += int64(n)
	w.r.usage.coming.Add(int64(n))
	w.r.metrics.pushed.Add(float64(n))
	return n, err
}

// copy appends a request's body. One that breaks off leaves what has come, to be resumed.
func (w *Upload) copy(body io.Reader) error {
	_, err := io.Copy(w, body)
	if err != nil && w.failed == nil {
		return fmt.Errorf("%w: the body broke off after %d bytes of the blob: %w", ErrSizeInvalid, w.u.size, err)
	}
	return err
}

// Close lets the upload go; another request may go on with it.
func (w *Upload) Close() {
	if w.closed {
		return
	}
	w.closed = true
	w.file.Close() // what matters was synced
	w.u.busy.Unlock()
}

// Cancel throws the upload away, unless it was committed or let go.
func (w *Upload) Cancel() {
	if w.closed {
		return
	}
	w.r.forget(w.u)
	w.Close()
}

// Commit makes the upload a blob of its repository when its content has the digest; otherwise the upload is gone.
func (w *Upload) Commit(d digest.Digest) error {
	defer w.Close()
	defer w.r.forget(w.u)
	if err := checkDigest(d); err != nil {
		return err
	}
	got, err := w.digest(d.Algorithm())
	if err != nil {
		return err
	}
	if got != d {
		return fmt.Errorf("%w: the content's digest is %s", ErrDigestInvalid, got)
	}
	if err := w.file.Sync(); err != nil { // the long part, before the lock
		return err
	}
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	w.r.changed(w.u.repo, d)
	if err := w.r.admit(w.u.repo, blobLinks, d, w.u.size); err != nil {
		return err
	}
	if err := w.r.publish(w.file, w.r.contentPath(d)); err != nil {
		return err
	}
	return w.r.writeFile(w.r.linkPath(w.u.repo, blobLinks, linkName(d)), nil)
}

// digest is the written content's; algorithms other than SHA-256 read it once more, and so does who has not seen all of it.
func (w *Upload) digest(a digest.Algorithm) (digest.Digest, error) {
	if a == digest.SHA256 && w.u.hash != nil {
		return digest.NewDigest(a, w.u.hash), nil
	}
	return a.FromReader(io.NewSectionReader(w.file, 0, w.u.size))
}
