package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/resource"
	clientopenapi "k8s.io/client-go/openapi"
	"k8s.io/kube-openapi/pkg/handler3"
	"k8s.io/kube-openapi/pkg/spec3"
	explain "k8s.io/kubectl/pkg/explain/v2"

	"leme/server/kind"
)

// client reads v3 documents as kubectl does, without HTTP between.
type client struct{ documents *Documents }

func (c client) Paths() (map[string]clientopenapi.GroupVersion, error) {
	data, err := c.documents.V3Index()
	if err != nil {
		return nil, err
	}
	var index handler3.OpenAPIV3Discovery
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, err
	}
	paths := map[string]clientopenapi.GroupVersion{}
	for path, gv := range index.Paths {
		paths[path] = groupVersion{c.documents, path, gv.ServerRelativeURL}
	}
	return paths, nil
}

type groupVersion struct {
	documents *Documents
	path, url string
}

func (g groupVersion) ServerRelativeURL() string { return g.url }

func (g groupVersion) Schema(contentType string) ([]byte, error) {
	data, hash, ok := g.documents.V3(g.path)
	if !ok || contentType != runtime.ContentTypeJSON || !strings.HasSuffix(g.url, "?hash="+hash) {
		return nil, errors.New("no such document: " + g.url)
	}
	return data, nil
}

func TestFieldValidationIsKnownInV3(t *testing.T) {
	verifier := resource.NewQueryParamVerifierV3(nil, client{New(kind.All())}, resource.QueryParamFieldValidation)
	for _, k := range kind.All().List() {
		if slices.Contains(k.NoVerbs, "patch") {
			continue // kubectl asks before it writes
		}
		if err := verifier.HasSupport(k.GroupVersionKind); err != nil {
			t.Errorf("%s: %v", k.Kind, err)
		}
	}
}

func TestExplain(t *testing.T) {
	tests := []struct {
		gvr   schema.GroupVersionResource
		field string
		want  []string
	}{
		{corev1.SchemeGroupVersion.WithResource("pods"), "", []string{"KIND:       Pod", "VERSION:    v1", "spec\t<PodSpec>"}},
		{corev1.SchemeGroupVersion.WithResource("pods"), "spec.containers", []string{"FIELD: containers <[]Container>", "name\t<string> -required-", "imagePullPolicy\t<string>", "enum: Always, IfNotPresent, Never"}},
		{corev1.SchemeGroupVersion.WithResource("pods"), "spec.containers.ports.protocol", []string{"FIELD: protocol <string>", "ENUM:", "SCTP"}},
		{corev1.SchemeGroupVersion.WithResource("pods"), "spec.containers.resources.limits", []string{"<map[string]Quantity>"}},
		{appsv1.SchemeGroupVersion.WithResource("deployments"), "spec.strategy.rollingUpdate.maxSurge", []string{"GROUP:      apps", "<IntOrString>"}},
		{schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}, "spec.renewTime", []string{"<string>"}},
	}
	c := client{New(kind.All())}
	for _, tt := range tests {
		t.Run(tt.gvr.Resource+"."+tt.field, func(t *testing.T) {
			var fields []string
			if tt.field != "" {
				fields = strings.Split(tt.field, ".")
			}
			var out bytes.Buffer
			if err := explain.PrintModelDescription(fields, &out, c, tt.gvr, false, 0, "plaintext"); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
		})
	}
}

func TestV3HasNoDanglingReference(t *testing.T) {
	documents := New(kind.All())
	for _, gv := range groupVersions(kind.All().List()) {
		data, _, ok := documents.V3(groupPath(gv))
		if !ok {
			t.Fatalf("no document of %s", gv)
		}
		var parsed spec3.OpenAPI
		if err := json.Unmarshal(data, &parsed); err != nil {
			t.Fatal(err)
		}
		for _, part := range bytes.Split(data, []byte(`"#/components/schemas/`))[1:] {
			name, _, _ := bytes.Cut(part, []byte(`"`))
			if parsed.Components.Schemas[string(name)] == nil {
				t.Errorf("%s: nothing is called %s", gv, name)
			}
		}
	}
	if _, _, ok := documents.V3("apis/none/v1"); ok {
		t.Error("a document of a group that is not served")
	}
}

func TestDocumentsFollowTheSet(t *testing.T) {
	kinds := kind.NewSet(kind.Pod)
	documents := New(kinds)
	if _, _, ok := documents.V3("apis/apps/v1"); ok {
		t.Fatal("apps/v1 before it is served")
	}
	kinds.Put(kind.Deployment)
	if _, _, ok := documents.V3("apis/apps/v1"); !ok {
		t.Error("no apps/v1 after it was added")
	}
	kinds.Remove(kind.Deployment.GroupVersionKind)
	if _, _, ok := documents.V3("apis/apps/v1"); ok {
		t.Error("apps/v1 after it was removed")
	}
}
