package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxPage bounds a page of tags or repositories, for who asks for none as for who asks for more.
const maxPage = 10_000

func (r *Registry) listTags(w http.ResponseWriter, req *http.Request, at route) error {
	tags, err := r.Tags(req.Context(), at.repo)
	if err != nil {
		return err
	}
	page, err := pageOf(w, req, tags)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", map[string]any{"name": at.repo, "tags": page})
}

func (r *Registry) listRepositories(w http.ResponseWriter, req *http.Request, _ route) error {
	repos, err := r.Repositories(req.Context())
	if err != nil {
		return err
	}
	page, err := pageOf(w, req, repos)
	if err != nil {
		return err
	}
	return writeJSON(w, "application/json", map[string]any{"repositories": page})
}

func (r *Registry) listReferrers(w http.ResponseWriter, req *http.Request, at route) error {
	d, err := at.lastDigest()
	if err != nil {
		return err
	}
	artifactType := req.URL.Query().Get("artifactType")
	list, err := r.Referrers(req.Context(), at.repo, d, artifactType)
	if err != nil {
		return err
	}
	if artifactType != "" {
		w.Header().Set("Oci-Filters-Applied", "artifactType")
	}
	return writeJSON(w, ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: list,
	})
}

// pageOf is the part of a sorted list that a request asks for by last and n. Where there is more, the answer's Link says
// how to ask for it.
func pageOf(w http.ResponseWriter, req *http.Request, list []string) ([]string, error) {
	query := req.URL.Query()
	n := maxPage
	if asked := query.Get("n"); asked != "" {
		var err error
		if n, err = strconv.Atoi(asked); err != nil || n < 0 {
			return nil, fmt.Errorf("%w: n=%q", errPaginationBad, asked)
		}
		n = min(n, maxPage)
	}
	start, found := slices.BinarySearch(list, query.Get("last"))
	if found {
		start++
	}
	page := list[start:]
	if len(page) > n {
		page = page[:n]
		if n > 0 {
			next := url.URL{Path: req.URL.Path, RawQuery: url.Values{"n": {strconv.Itoa(n)}, "last": {page[n-1]}}.Encode()}
			w.Header().Set("Link", "<"+next.String()+`>; rel="next"`)
		}
	}
	return append([]string{}, page...), nil // an empty list, never none
}

func writeJSON(w http.ResponseWriter, mediaType string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, err = w.Write(data)
	return err
}
