package registry

import (
	"encoding/json"
	"errors"
	"net/http"
)

// Error is a refusal in the terms of the distribution specification. What wraps one keeps its code and status.
type Error struct {
	Status  int    // of the answer
	Code    string // e.g. "BLOB_UNKNOWN"
	Message string
}

func (e *Error) Error() string { return e.Message }

// What the registry refuses, by the specification's codes; the last ones are the Docker registry's, which clients know.
var (
	ErrBlobUnknown         = &Error{http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry"}
	ErrBlobUploadUnknown   = &Error{http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"}
	ErrDenied              = &Error{http.StatusForbidden, "DENIED", "requested access to the resource is denied"}
	ErrDigestInvalid       = &Error{http.StatusBadRequest, "DIGEST_INVALID", "provided digest did not match uploaded content"}
	ErrManifestBlobUnknown = &Error{http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN", "manifest references a manifest or blob unknown to registry"}
	ErrManifestInvalid     = &Error{http.StatusBadRequest, "MANIFEST_INVALID", "manifest invalid"}
	ErrManifestUnknown     = &Error{http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown to registry"}
	ErrNameInvalid         = &Error{http.StatusBadRequest, "NAME_INVALID", "invalid repository name"}
	ErrNameUnknown         = &Error{http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry"}
	ErrSizeInvalid         = &Error{http.StatusBadRequest, "SIZE_INVALID", "provided length did not match content length"}
	ErrTooManyRequests     = &Error{http.StatusTooManyRequests, "TOOMANYREQUESTS", "too many requests"}
	ErrUnsupported         = &Error{http.StatusMethodNotAllowed, "UNSUPPORTED", "the operation is unsupported"}
	ErrQuota               = &Error{http.StatusForbidden, "DENIED", "quota exceeded"}

	errNotFound      = &Error{http.StatusNotFound, "UNSUPPORTED", "the path names nothing of a registry"}
	errParameter     = &Error{http.StatusBadRequest, "UNSUPPORTED", "invalid parameter"}
	errRangeInvalid  = &Error{http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID", "invalid content range"}
	errTagInvalid    = &Error{http.StatusBadRequest, "TAG_INVALID", "invalid tag"}
	errTooLarge      = &Error{http.StatusRequestEntityTooLarge, "TOO_LARGE", "the manifest is too large"}
	errPaginationBad = &Error{http.StatusBadRequest, "PAGINATION_NUMBER_INVALID", "invalid number of results requested"}
)

// WriteError answers a request with a refusal, as clients of a registry read one.
func WriteError(w http.ResponseWriter, status int, code, message string) {
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	body, err := json.Marshal(map[string][]entry{"errors": {{code, message}}})
	if err != nil {
		panic(err) // two strings
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Docker-Content-Digest", "Etag"} {
		h.Del(name) // of the answer that this one takes the place of
	}
	h.Set("Content-Type", "application/json")
	h.Set(apiVersionHeader, apiVersion)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Refuse answers a request that is not let in, for whoever decides that.
func Refuse(w http.ResponseWriter, status int, message string) {
	code := "UNKNOWN"
	switch status {
	case http.StatusUnauthorized:
		code = "UNAUTHORIZED"
	case http.StatusForbidden:
		code = ErrDenied.Code
	case http.StatusTooManyRequests:
		code = ErrTooManyRequests.Code
	}
	WriteError(w, status, code, message)
}

// fail answers with an error. What only concerns this machine (paths, system errors) stays in its log.
func (r *Registry) fail(w http.ResponseWriter, req *http.Request, err error) {
	var known *Error
	switch {
	case errors.As(err, &known):
		WriteError(w, known.Status, known.Code, err.Error())
	case req.Context().Err() != nil: // the client is gone
	default:
		r.cfg.Log.Error("registry request failed", "method", req.Method, "path", req.URL.Path, "err", err)
		WriteError(w, http.StatusInternalServerError, "UNKNOWN", "internal error; see the server's log")
	}
}
