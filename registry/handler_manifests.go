package registry

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxTags bounds the tags that a manifest may be given in one request.
const maxTags = 100

// isDigest tells what stands behind /manifests/ apart: no tag has a colon.
func isDigest(reference string) bool { return strings.Contains(reference, ":") }

// manifestDigest finds the manifest that a path names, by digest or by tag.
func (r *Registry) manifestDigest(at route) (digest.Digest, error) {
	switch {
	case isDigest(at.last):
		return at.lastDigest()
	case checkTag(at.last) != nil:
		return "", ErrManifestUnknown
	}
	return r.tag(at.repo, at.last)
}

func (r *Registry) getManifest(w http.ResponseWriter, req *http.Request, at route) error {
	d, err := r.manifestDigest(at)
	if err != nil {
		return err
	}
	manifest, err := r.GetManifest(req.Context(), at.repo, d)
	if err != nil {
		return err
	}
	defer manifest.Close()
	serveContent(w, req, manifest)
	return nil
}

// removeManifest removes a tag, or a manifest by its digest with all its tags.
func (r *Registry) removeManifest(w http.ResponseWriter, req *http.Request, at route) error {
	d, err := r.manifestDigest(at)
	if err != nil {
		return err
	}
	if isDigest(at.last) {
		err = r.DeleteManifest(req.Context(), at.repo, d)
	} else {
		err = r.DeleteTag(req.Context(), at.repo, at.last)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (r *Registry) putManifest(w http.ResponseWriter, req *http.Request, at route) error {
	data, err := readManifestBody(w, req)
	if err != nil {
		return err
	}
	d, tags, err := naming(req, at, data)
	if err != nil {
		return err
	}
	mediaType := req.Header.Get("Content-Type")
	if plain, _, err := mime.ParseMediaType(mediaType); err == nil {
		mediaType = plain
	}
	m, err := r.PushManifest(req.Context(), at.repo, d, tags, data, mediaType)
	if err != nil {
		return err
	}
	if m.Subject != nil {
		w.Header().Set("Oci-Subject", m.Subject.Digest.String())
	}
	if isDigest(at.last) {
		for _, tag := range tags {
			w.Header().Add("Oci-Tag", tag)
		}
	}
	created(w, "/v2/"+at.repo+"/manifests/"+d.String(), d)
	return nil
}

func readManifestBody(w http.ResponseWriter, req *http.Request) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MaxManifestSize))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, fmt.Errorf("%w: it may have at most %d bytes", errTooLarge, MaxManifestSize)
	}
	return data, err
}

// naming is what a pushed manifest is to be called: its digest, which the client may choose the algorithm of, and tags.
func naming(req *http.Request, at route, data []byte) (digest.Digest, []string, error) {
	if !isDigest(at.last) {
		return digest.FromBytes(data), []string{at.last}, checkTag(at.last)
	}
	d, err := at.lastDigest()
	if err != nil {
		return "", nil, err
	}
	if got := d.Algorithm().FromBytes(data); got != d {
		return "", nil, fmt.Errorf("%w: the content's digest is %s", ErrDigestInvalid, got)
	}
	tags := req.URL.Query()["tag"]
	if len(tags) > maxTags {
		return "", nil, fmt.Errorf("%w: more than %d tags at once", errTagInvalid, maxTags)
	}
	for _, tag := range tags {
		if err := checkTag(tag); err != nil {
			return "", nil, err
		}
	}
	return d, tags, nil
}
