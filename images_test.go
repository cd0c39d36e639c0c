package main

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"leme/server/auth"
)

func TestNamedByDigest(t *testing.T) {
	d := digest.FromString("x")
	got := namedByDigest([]string{
		"nginx:1.29", "docker.io/library/nginx@" + d.String(), "registry.leme/hello:1.0", "registry.leme/Bad@" + d.String(), "",
		"registry.leme/team/web@" + d.String(), "registry.leme/hello:1.0@" + d.String(),
	})
	if len(got) != 2 || !maps.Equal(got["team/web"], map[digest.Digest]bool{d: true}) || !got["hello"][d] {
		t.Errorf("%v", got)
	}
}

func TestImageAttributes(t *testing.T) {
	for request, want := range map[string]auth.Attributes{
		"GET /v2/":                       {Verb: "get", Path: "/v2/"},
		"GET /v2/_catalog":               {Verb: "list", Group: "registry.leme", Resource: "images"},
		"POST /v2/_leme/gc":              {Verb: "deletecollection", Group: "registry.leme", Resource: "images"},
		"HEAD /v2/hello/manifests/1.0":   {Verb: "get", Group: "registry.leme", Resource: "images", Name: "hello"},
		"PUT /v2/team/a/web/manifests/1": {Verb: "update", Group: "registry.leme", Resource: "images", Namespace: "team", Name: "a/web"},
		"GET /v2/team/web/manifests/1?ns=docker.io": {Verb: "get", Group: "registry.leme", Resource: "images", Subresource: "upstream",
			Name: "docker.io/team/web"},
		"GET /v2/hello/manifests/1?ns=registry.leme": {Verb: "get", Group: "registry.leme", Resource: "images", Name: "hello"},
		"DELETE /v2/team/web/manifests/1":            {Verb: "delete", Group: "registry.leme", Resource: "images", Namespace: "team", Name: "web"},
	} {
		method, path, _ := strings.Cut(request, " ")
		r, err := http.NewRequest(method, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := imageAttributes(r); got != want {
			t.Errorf("%s: %+v, want %+v", request, got, want)
		}
	}
}
