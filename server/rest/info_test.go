package rest

import (
	"net/url"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestParseInfo(t *testing.T) {
	core := func(resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Version: "v1", Resource: resource}
	}
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	for _, tt := range []struct {
		request string
		want    info
	}{
		{"GET /", info{Verb: "get"}},
		{"GET /api", info{Verb: "get"}},
		{"GET /api/v1", info{Verb: "get"}},
		{"GET /api/v1/", info{Verb: "get"}},
		{"GET /apis/apps/v1", info{Verb: "get"}},
		{"PUT /v2/a/blobs", info{Verb: "put"}},
		{"GET /api/v1/pods", info{Verb: "list", GroupVersionResource: core("pods")}},
		{"HEAD /api/v1/pods", info{Verb: "list", GroupVersionResource: core("pods")}},
		{"GET /api/v1/pods?watch=1", info{Verb: "watch", GroupVersionResource: core("pods")}},
		{"GET /api/v1/pods?watch=false", info{Verb: "list", GroupVersionResource: core("pods")}},
		{"GET /api/v1/watch/namespaces/a/pods", info{Verb: "watch", GroupVersionResource: core("pods"), Namespace: "a"}},
		{"GET /api/v1/watch/nodes/n", info{Verb: "watch", GroupVersionResource: core("nodes")}},
		{"GET /api/v1/namespaces", info{Verb: "list", GroupVersionResource: core("namespaces")}},
		{"GET /api/v1/namespaces/a", info{Verb: "get", GroupVersionResource: core("namespaces"), Namespace: "a", Name: "a"}},
		{"PUT /api/v1/namespaces/a/finalize", info{Verb: "update", GroupVersionResource: core("namespaces"), Namespace: "a", Name: "a", Subresource: "finalize"}},
		{"GET /api/v1/namespaces/a/pods/p", info{Verb: "get", GroupVersionResource: core("pods"), Namespace: "a", Name: "p"}},
		{"GET /api/v1/namespaces/a/pods/p?watch=1", info{Verb: "get", GroupVersionResource: core("pods"), Namespace: "a", Name: "p"}},
		{"PATCH /apis/apps/v1/namespaces/a/deployments/d/scale", info{Verb: "patch", GroupVersionResource: deployments, Namespace: "a", Name: "d", Subresource: "scale"}},
		{"DELETE /apis/apps/v1/namespaces/a/deployments", info{Verb: "deletecollection", GroupVersionResource: deployments, Namespace: "a"}},
		{"DELETE /apis/apps/v1/namespaces/a/deployments/d", info{Verb: "delete", GroupVersionResource: deployments, Namespace: "a", Name: "d"}},
		{"POST /apis/apps/v1/namespaces/a/deployments", info{Verb: "create", GroupVersionResource: deployments, Namespace: "a"}},
		{"GET /api/v1/nodes/n:10250/proxy", info{Verb: "get", GroupVersionResource: core("nodes"), Name: "n:10250", Subresource: "proxy"}},
		{"GET /api/v1/nodes/n/proxy/", info{Verb: "get", GroupVersionResource: core("nodes"), Name: "n", Subresource: "proxy", Rest: "/"}},
		{"GET /api/v1/nodes/n/proxy/logs/a/", info{Verb: "get", GroupVersionResource: core("nodes"), Name: "n", Subresource: "proxy", Rest: "/logs/a/"}},
		{"GET /api/v1//a", info{Verb: "get"}},
		{"DELETE /apis/apps/v1/namespaces/a//b/", info{Verb: "delete"}},
		{"OPTIONS /api/v1/pods", info{Verb: "options", GroupVersionResource: core("pods")}},
	} {
		t.Run(tt.request, func(t *testing.T) {
			method, target, _ := strings.Cut(tt.request, " ")
			u, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Path = u.Path
			if got := parseInfo(method, u.Path, u.Query()); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestAttributesNameTheSelectedObject(t *testing.T) {
	query := url.Values{"fieldSelector": {"metadata.name=n1"}, "watch": {"1"}}
	a := parseInfo("GET", "/api/v1/nodes", query).attributes(query)
	if a.Verb != "watch" || a.Name != "n1" {
		t.Errorf("got %+v", a)
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add("GET", "/api/v1/namespaces/a/pods/p/log")
	f.Add("POST", "//apis///")
	f.Fuzz(func(t *testing.T, method, path string) {
		i := parseInfo(method, path, url.Values{})
		if i.Resource == "" && (i.Name != "" || i.Subresource != "") {
			t.Errorf("%+v names something of nothing", i)
		}
	})
}
