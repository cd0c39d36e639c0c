package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"cuelabs.dev/go/oci/ociregistry"
	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/opencontainers/go-digest"
)

// ServeHTTP answers the OCI distribution API. Before ociserver sees a request it settles what that leaves open: the
// size of manifests, the offset of chunks, and mounts of what is not there, which become uploads as the
// specification asks.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch {
	case req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/manifests/"):
		if req.ContentLength > MaxManifestSize {
			r.writeError(w, req, errManifestTooLarge)
			return
		}
		req.Body = http.MaxBytesReader(w, req.Body, MaxManifestSize)
	case req.Method == http.MethodPost && req.URL.Query().Has("mount"):
		req = r.uploadUnlessMountable(req)
	case req.Header.Get("Content-Range") != "":
		offset, err := chunkOffset(req)
		if err != nil {
			r.writeError(w, req, err)
			return
		}
		req = req.WithContext(context.WithValue(req.Context(), offsetKey{}, offset))
		req.Header.Del("Content-Range")
	}
	r.handler.ServeHTTP(w, req)
}

var errManifestTooLarge = ociregistry.NewHTTPError(
	ociregistry.NewError(fmt.Sprintf("a manifest may have at most %d bytes", MaxManifestSize), "TOO_LARGE", nil),
	http.StatusRequestEntityTooLarge, nil, nil)

// writeError keeps what only concerns this machine (paths, system errors) in its log.
func (r *Registry) writeError(w http.ResponseWriter, req *http.Request, err error) {
	var known ociregistry.Error
	var status ociregistry.HTTPError
	switch text := err.Error(); { // ociserver does not wrap the first two
	case strings.HasSuffix(text, tooLargeText):
		err = errManifestTooLarge
	case strings.HasPrefix(text, "invalid manifest JSON"):
		err = fmt.Errorf("%w: %w", ociregistry.ErrManifestInvalid, err)
	case errors.As(err, &known), errors.As(err, &status):
	case req.Context().Err() != nil:
		return // the client is gone
	default:
		r.cfg.Log.Error("registry request failed", "method", req.Method, "path", req.URL.Path, "err", err)
		err = errors.New("internal error; see the server's log")
	}
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	_ = ociregistry.WriteError(w, err)
}

var tooLargeText = (&http.MaxBytesError{}).Error()

// uploadUnlessMountable turns a mount that cannot be done into the start of an ordinary upload.
func (r *Registry) uploadUnlessMountable(req *http.Request) *http.Request {
	q := req.URL.Query()
	from, mount := q.Get("from"), q.Get("mount")
	if from == "" || !ociref.IsValidRepository(from) || digest.Digest(mount).Validate() != nil {
		return req
	}
	if _, err := r.ResolveBlob(req.Context(), from, digest.Digest(mount)); err == nil {
		return req
	}
	plain := req.Clone(req.Context())
	plain.URL.RawQuery = ""
	return plain
}

type offsetKey struct{}

// explicitOffset is where the client says that its chunk starts, if it says so.
func explicitOffset(ctx context.Context) (int64, bool) {
	offset, ok := ctx.Value(offsetKey{}).(int64)
	return offset, ok
}

// chunkOffset reads the Content-Range of an upload's chunk, "FIRST-LAST", both inclusive.
func chunkOffset(req *http.Request) (int64, error) {
	header := req.Header.Get("Content-Range")
	first, last, ok := strings.Cut(header, "-")
	start, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || err1 != nil || err2 != nil || start < 0 || end < start-1 {
		return 0, fmt.Errorf("%w: %q is not FIRST-LAST", ociregistry.ErrRangeInvalid, header)
	}
	if req.ContentLength >= 0 && req.ContentLength != end-start+1 && req.ContentLength != 0 {
		return 0, fmt.Errorf("%w: Content-Range %s has %d bytes, the body %d", ociregistry.ErrSizeInvalid, header,
			end-start+1, req.ContentLength)
	}
	return start, nil
}
