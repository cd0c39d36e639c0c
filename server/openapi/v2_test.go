package openapi

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	openapi_v2 "github.com/google/gnostic-models/openapiv2"
	"google.golang.org/protobuf/proto"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	kubectlopenapi "k8s.io/kubectl/pkg/util/openapi"
	"k8s.io/kubectl/pkg/validation"

	"leme/server/kind"
)

// parseV2 reads the v2 document from its protobuf form, as kubectl does.
func parseV2(t *testing.T) *openapi_v2.Document {
	t.Helper()
	text, binary, err := New(kind.All()).V2()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatal("the JSON form is not JSON")
	}
	document := &openapi_v2.Document{}
	if err := proto.Unmarshal(binary, document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestKubectlFindsEachKindInV2(t *testing.T) {
	resources, err := kubectlopenapi.NewOpenAPIData(parseV2(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kind.All().List() {
		if resources.LookupResource(k.GroupVersionKind) == nil {
			t.Errorf("no schema for %s", k.GroupVersionKind)
		}
		want := 4
		if slices.Contains(k.NoVerbs, "patch") {
			want = 0
		}
		if got := resources.GetConsumes(k.GroupVersionKind, "PATCH"); len(got) != want {
			t.Errorf("%s: patches as %v", k.Kind, got)
		}
	}
}

// getter hands kubectl what it has read.
type getter struct{ resources kubectlopenapi.Resources }

func (g getter) OpenAPISchema() (kubectlopenapi.Resources, error) { return g.resources, nil }

func TestKubectlValidatesManifests(t *testing.T) {
	resources, err := kubectlopenapi.NewOpenAPIData(parseV2(t))
	if err != nil {
		t.Fatal(err)
	}
	validator := validation.NewSchemaValidation(getter{resources})
	const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      containers:
      - name: web
        image: web
        ports: [{containerPort: 80}]
        resources: {limits: {cpu: 1, memory: 64Mi}}
        livenessProbe: {httpGet: {port: http}}
`
	for _, tt := range []struct{ name, old, new, want string }{
		{"good", "", "", ""},
		{"unknown field", "image: web", "imag: web", `unknown field "imag"`},
		{"wrong type", "replicas: 2", "replicas: two", "invalid type"},
		{"missing field", "selector: {matchLabels: {app: web}}", "", `missing required field "selector"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := validator.ValidateBytes([]byte(strings.Replace(manifest, tt.old, tt.new, 1)))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestStrategicMergeBySchema(t *testing.T) {
	resources, err := kubectlopenapi.NewOpenAPIData(parseV2(t))
	if err != nil {
		t.Fatal(err)
	}
	meta := strategicpatch.NewPatchMetaFromOpenAPI(resources.LookupResource(appsv1.SchemeGroupVersion.WithKind("Deployment")))
	original := `{"spec":{"template":{"spec":{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}}}}`
	patch := `{"spec":{"template":{"spec":{"containers":[{"name":"b","image":"2"}]}}}}`
	got, err := strategicpatch.StrategicMergePatchUsingLookupPatchMeta([]byte(original), []byte(patch), meta)
	if err != nil {
		t.Fatal(err)
	}
	var d appsv1.Deployment
	if err := json.Unmarshal(got, &d); err != nil {
		t.Fatal(err)
	}
	images := map[string]string{}
	for _, c := range d.Spec.Template.Spec.Containers {
		images[c.Name] = c.Image
	}
	if len(images) != 2 || images["a"] != "1" || images["b"] != "2" {
		t.Errorf("merged containers: %v", images)
	}
}
