package registry

import (
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"
)

// serveContent answers with content. net/http does what belongs to it: ranges, conditions, HEAD.
func serveContent(w http.ResponseWriter, req *http.Request, c *Content) {
	h := w.Header()
	h.Set("Content-Type", c.MediaType)
	h.Set(digestHeader, c.Digest.String())
	h.Set("Etag", `"`+c.Digest.String()+`"`)
	http.ServeContent(w, req, "", time.Time{}, c.File)
}

func (r *Registry) getBlob(w http.ResponseWriter, req *http.Request, at route) error {
	d, err := at.lastDigest()
	if err != nil {
		return err
	}
	if req.Method == http.MethodHead {
		// Who learns here that the blob exists will not push it again.
		if _, err := r.ResolveBlob(req.Context(), at.repo, d); err != nil {
			return err
		}
	}
	blob, err := r.GetBlob(req.Context(), at.repo, d)
	if err != nil {
		return err
	}
	defer blob.Close()
	serveContent(w, req, blob)
	return nil
}

func (r *Registry) deleteBlob(w http.ResponseWriter, req *http.Request, at route) error {
	d, err := at.lastDigest()
	if err != nil {
		return err
	}
	if err := r.DeleteBlob(req.Context(), at.repo, d); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func blobLocation(repo string, d digest.Digest) string {
	return "/v2/" + repo + "/blobs/" + d.String()
}
