package registry

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

const (
	apiVersionHeader = "Docker-Distribution-API-Version"
	apiVersion       = "registry/2.0"
	digestHeader     = "Docker-Content-Digest"
)

// handler answers one kind of request. What it returns is answered for it.
type handler func(w http.ResponseWriter, req *http.Request, at route) error

// handlers are what is served, by endpoint and method; HEAD is served as GET.
func (r *Registry) handlers() map[endpoint]map[string]handler {
	return map[endpoint]map[string]handler{
		pingEndpoint:       {http.MethodGet: r.ping},
		catalogEndpoint:    {http.MethodGet: r.listRepositories},
		collectionEndpoint: {http.MethodPost: r.collect},
		uploadsEndpoint:    {http.MethodPost: r.startUpload},
		uploadEndpoint: {
			http.MethodGet: r.uploadStatus, http.MethodPatch: r.uploadChunk, http.MethodPut: r.finishUpload, http.MethodDelete: r.cancelUpload,
		},
		blobEndpoint:      {http.MethodGet: r.getBlob, http.MethodDelete: r.deleteBlob},
		manifestEndpoint:  {http.MethodGet: r.getManifest, http.MethodPut: r.putManifest, http.MethodDelete: r.removeManifest},
		tagsEndpoint:      {http.MethodGet: r.listTags},
		referrersEndpoint: {http.MethodGet: r.listReferrers},
	}
}

// ServeHTTP answers the API of the OCI distribution specification, version 1.1.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set(apiVersionHeader, apiVersion)
	counted := &counter{ResponseWriter: w}
	at, err := parsePath(req.URL.Path)
	if err == nil {
		err = r.dispatch(counted, req, at)
	}
	if err != nil {
		r.fail(counted, req, err)
	}
	r.metrics.request(at.endpoint, req.Method, counted)
}

func (r *Registry) dispatch(w http.ResponseWriter, req *http.Request, at route) error {
	method := req.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	methods := r.routes[at.endpoint]
	serve := methods[method]
	if serve == nil {
		var allowed []string
		for m := range methods {
			allowed = append(allowed, m)
		}
		slices.Sort(allowed)
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return fmt.Errorf("%w: %s is not served here", ErrUnsupported, req.Method)
	}
	return serve(w, req, at)
}

func (r *Registry) ping(w http.ResponseWriter, _ *http.Request, _ route) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write([]byte("{}"))
	return err
}

// lastDigest reads the digest that a path ends with.
func (at route) lastDigest() (digest.Digest, error) {
	d := digest.Digest(at.last)
	return d, checkDigest(d)
}

// created answers a request that has stored something.
func created(w http.ResponseWriter, location string, d digest.Digest) {
	w.Header().Set("Location", location)
	w.Header().Set(digestHeader, d.String())
	w.WriteHeader(http.StatusCreated)
}
