package registry

import (
	"net/http"
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	for path, want := range map[string]route{
		"/v2":                               {pingEndpoint, "", ""},
		"/v2/":                              {pingEndpoint, "", ""},
		"/v2/_catalog":                      {catalogEndpoint, "", ""},
		"/v2/_leme/gc":                      {collectionEndpoint, "", ""},
		"/v2/a/manifests/1.0":               {manifestEndpoint, "a", "1.0"},
		"/v2/a/b/c/blobs/sha256:x":          {blobEndpoint, "a/b/c", "sha256:x"},
		"/v2/a/blobs/uploads/":              {uploadsEndpoint, "a", ""},
		"/v2/a/blobs/uploads":               {uploadsEndpoint, "a", ""},
		"/v2/a/blobs/uploads/ID":            {uploadEndpoint, "a", "ID"},
		"/v2/a/tags/list":                   {tagsEndpoint, "a", ""},
		"/v2/a/referrers/sha256:x":          {referrersEndpoint, "a", "sha256:x"},
		"/v2/manifests/blobs/manifests/1.0": {manifestEndpoint, "manifests/blobs", "1.0"},
	} {
		if got, err := parsePath(path); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", path, got, err, want)
		}
	}
	for _, path := range []string{
		"/", "/v3/a/tags/list", "/v2/a", "/v2/a/tags/all", "/v2/A/tags/list", "/v2/../tags/list", "/v2//tags/list", "/v2/_a/tags/list",
		"/v2/a/_tags/manifests/1", "/v2/a/manifests/", "/v2/a/uploads/x", "/v2/" + strings.Repeat("a", MaxNameLength+1) + "/tags/list",
	} {
		if got, err := parsePath(path); err == nil {
			t.Errorf("%s: %+v, want an error", path, got)
		}
	}
}

// FuzzParsePath looks for a path that leads out of the registry's folder.
func FuzzParsePath(f *testing.F) {
	f.Add("/v2/a/b/blobs/uploads/x")
	f.Add("/v2/../../etc/manifests/passwd")
	f.Fuzz(func(t *testing.T, path string) {
		at, err := parsePath(path)
		if err != nil || at.repo == "" {
			return
		}
		for part := range strings.SplitSeq(at.repo, "/") {
			if part == "" || part == "." || part == ".." || part[0] == '_' || strings.ContainsAny(part, "\\\x00") {
				t.Errorf("%q: repository %q", path, at.repo)
			}
		}
	})
}

func TestAccess(t *testing.T) {
	for request, want := range map[string]string{
		"GET /v2/":                      " ",
		"GET /v2/_catalog":              "list ",
		"POST /v2/_leme/gc":             "deletecollection ",
		"GET /v2/a/b/tags/list":         "get a/b",
		"HEAD /v2/a/manifests/1":        "get a",
		"GET /v2/a/blobs/sha256:x":      "get a",
		"GET /v2/a/referrers/sha256:x":  "get a",
		"PUT /v2/a/manifests/1":         "update a",
		"POST /v2/a/blobs/uploads/":     "update a",
		"GET /v2/a/blobs/uploads/x":     "update a",
		"DELETE /v2/a/blobs/uploads/x":  "update a",
		"DELETE /v2/a/manifests/1":      "delete a",
		"DELETE /v2/a/blobs/sha256:x":   "delete a",
		"PATCH /v2/a/manifests/1":       "update a",
		"GET /v2/what/is/this":          " ",
		"PUT /v2/UPPER/manifests/1":     " ",
		"TRACE /v2/a/manifests/1":       "update a",
		"GET /v2/_leme/gc":              "deletecollection ",
		"GET /v2/a/blobs/uploads/":      "update a",
		"GET /v2/a/manifests/sha256:zz": "get a",
	} {
		method, path, _ := strings.Cut(request, " ")
		req, err := http.NewRequest(method, path, nil)
		must(t, err)
		verb, repo := Access(req)
		if got := verb + " " + repo; got != want {
			t.Errorf("%s: %q, want %q", request, got, want)
		}
	}
}
