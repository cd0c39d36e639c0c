package registry

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// startUpload begins an upload, takes a blob in one request, or mounts one that another repository has. A mount that
// cannot be done becomes an upload, as the specification asks.
func (r *Registry) startUpload(w http.ResponseWriter, req *http.Request, at route) error {
	query := req.URL.Query()
	if query.Has("mount") {
		d := digest.Digest(query.Get("mount"))
		if err := checkDigest(d); err != nil {
			return err
		}
		if r.mountFrom(req.Context(), query.Get("from"), at.repo, d) == nil {
			created(w, blobLocation(at.repo, d), d)
			return nil
		}
	} else if query.Has("digest") {
		return r.takeBlob(w, req, at, digest.Digest(query.Get("digest")))
	}
	upload, err := r.StartUpload(at.repo)
	if err != nil {
		return err
	}
	defer upload.Close()
	w.Header().Set("Oci-Chunk-Min-Length", "0")
	upload.tell(w)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// mountFrom mounts a blob out of the repository from, or, where that is empty, out of any that the client may read.
func (r *Registry) mountFrom(ctx context.Context, from, to string, d digest.Digest) error {
	if from != "" {
		if checkRepo(from) != nil || !r.cfg.Readable(ctx, from) {
			return ErrBlobUnknown
		}
		return r.MountBlob(ctx, from, to, d)
	}
	repos, err := r.repositories()
	if err != nil {
		return err
	}
	for _, repo := range repos {
		if r.hasBlob(repo, d) == nil && r.cfg.Readable(ctx, repo) {
			return r.MountBlob(ctx, repo, to, d)
		}
	}
	return ErrBlobUnknown
}

func (r *Registry) takeBlob(w http.ResponseWriter, req *http.Request, at route, d digest.Digest) error {
	if err := checkDigest(d); err != nil {
		return err
	}
	if err := r.PushBlob(req.Context(), at.repo, d, req.ContentLength, req.Body); err != nil {
		return err
	}
	created(w, blobLocation(at.repo, d), d)
	return nil
}

// resume opens the upload that a request speaks of, where its chunk belongs.
func (r *Registry) resume(req *http.Request, at route) (*Upload, error) {
	offset, err := chunkOffset(req)
	if err != nil {
		return nil, err
	}
	return r.ResumeUpload(at.repo, at.last, offset)
}

func (r *Registry) uploadStatus(w http.ResponseWriter, _ *http.Request, at route) error {
	upload, err := r.ResumeUpload(at.repo, at.last, anyOffset)
	if err != nil {
		return err
	}
	defer upload.Close()
	upload.tell(w)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (r *Registry) uploadChunk(w http.ResponseWriter, req *http.Request, at route) error {
	upload, err := r.resume(req, at)
	if err != nil {
		return err
	}
	defer upload.Close()
	if err := upload.copy(req.Body); err != nil {
		return err
	}
	upload.tell(w)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (r *Registry) finishUpload(w http.ResponseWriter, req *http.Request, at route) error {
	d := digest.Digest(req.URL.Query().Get("digest"))
	if err := checkDigest(d); err != nil {
		return err
	}
	upload, err := r.resume(req, at)
	if err != nil {
		return err
	}
	defer upload.Close()
	if err := upload.copy(req.Body); err != nil {
		return err
	}
	if err := upload.Commit(d); err != nil {
		return err
	}
	created(w, blobLocation(at.repo, d), d)
	return nil
}

func (r *Registry) cancelUpload(w http.ResponseWriter, _ *http.Request, at route) error {
	upload, err := r.ResumeUpload(at.repo, at.last, anyOffset)
	if err != nil {
		return err
	}
	upload.Cancel()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tell says in an answer's headers where the upload goes on.
func (u *Upload) tell(w http.ResponseWriter) {
	w.Header().Set("Location", "/v2/"+u.u.repo+"/blobs/uploads/"+u.u.id)
	w.Header().Set("Range", "0-"+strconv.FormatInt(max(u.u.size-1, 0), 10))
}

// chunkOffset reads the Content-Range of an upload's chunk, "FIRST-LAST", both inclusive; without one it is anyOffset.
func chunkOffset(req *http.Request) (int64, error) {
	header := req.Header.Get("Content-Range")
	if header == "" {
		return anyOffset, nil
	}
	first, last, ok := strings.Cut(header, "-")
	start, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || err1 != nil || err2 != nil || start < 0 || end < start-1 {
		return 0, fmt.Errorf("%w: %q is not FIRST-LAST", errRangeInvalid, header)
	}
	if req.ContentLength > 0 && req.ContentLength != end-start+1 {
		return 0, fmt.Errorf("%w: Content-Range %s has %d bytes, the body %d", ErrSizeInvalid, header, end-start+1, req.ContentLength)
	}
	return start, nil
}
