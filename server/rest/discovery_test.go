package rest

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
)

const wantAggregated = "Accept: application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

func read[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return v
}

func TestDiscovery(t *testing.T) {
	b := newBed(t, &tls.Config{})
	_, _, body := b.do(t, "GET /api/v1", "")
	list := read[metav1.APIResourceList](t, body)
	for name, verbs := range map[string]string{
		"pods":                "create,delete,deletecollection,get,list,patch,update,watch",
		"pods/log":            "get",
		"pods/exec":           "create,get",
		"pods/binding":        "create",
		"pods/status":         "get,patch,update",
		"namespaces/finalize": "update",
		"nodes/proxy":         "create,delete,get,patch,update",
	} {
		i := slices.IndexFunc(list.APIResources, func(r metav1.APIResource) bool { return r.Name == name })
		if i < 0 || strings.Join(list.APIResources[i].Verbs, ",") != verbs {
			t.Errorf("%s is not there with %s", name, verbs)
		}
	}

	_, header, body := b.do(t, "GET /apis", "", wantAggregated)
	if got := header.Get("Content-Type"); got != aggregatedType {
		t.Errorf("content type %s", got)
	}
	groups := read[apidiscovery.APIGroupDiscoveryList](t, body)
	var names []string
	for _, g := range groups.Items {
		names = append(names, g.Name)
	}
	for _, want := range []string{"apps", "authorization.k8s.io", "coordination.k8s.io"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not in %v", want, names)
		}
	}
	if code, _, _ := b.do(t, "GET /apis", "", wantAggregated, "If-None-Match: "+header.Get("Etag")); code != http.StatusNotModified {
		t.Errorf("what has not changed is answered with %d", code)
	}
}

func TestDiscoveryFollowsTheKinds(t *testing.T) {
	kinds := kind.NewSet(kind.Pod)
	d := newDiscovery(kinds)
	before, err := d.current()
	if err != nil {
		t.Fatal(err)
	}
	again, _ := d.current()
	if before != again {
		t.Error("documents were made anew without a change")
	}
	kinds.Put(&kind.Kind{
		GroupVersionKind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"},
		Resource:         "widgets", Singular: "widget", New: func() runtime.Object { return &corev1.Pod{} },
	})
	after, err := d.current()
	if err != nil {
		t.Fatal(err)
	}
	if after.resources[schema.GroupVersion{Group: "example.com", Version: "v1"}] == nil || !slices.Contains(d.paths(nil), "/apis/example.com/v1") {
		t.Error("the new kind is not there")
	}
}

// What roles speak of and the API does not serve is known by its name, and has no verbs.
func TestDiscoveryOfNames(t *testing.T) {
	image := NamedResource{GroupVersionKind: schema.GroupVersionKind{Group: "registry.example", Version: "v1", Kind: "Image"}, Resource: "images", Singular: "image", Namespaced: true}
	d, err := newDiscovery(kind.NewSet(kind.Pod), image).current()
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range [][]byte{d.resources[image.GroupVersion()], d.all} {
		if !strings.Contains(string(raw), `"verbs":[]`) || !strings.Contains(string(raw), `"images"`) {
			t.Errorf("%s", raw)
		}
	}
	if !strings.Contains(string(d.list), "registry.example/v1") || d.details["registry.example"] == nil {
		t.Errorf("groups: %s", d.list)
	}
}
