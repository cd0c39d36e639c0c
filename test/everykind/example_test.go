package everykind

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// example is what the tests know of a kind: a file of testdata.
type example struct {
	// Object is one that the server accepts and that has little beside what it needs. Its name is the prefix of those
	// made; $namespace is theirs.
	Object map[string]any `json:"object"`
	// Names are for a kind that does not take any name; else they are made from the object's.
	Names []string `json:"names"`
	// Change is a merge patch that the kind accepts and that raises its generation, where it has one.
	Change map[string]any `json:"change"`
	// Status is a merge patch of the status, where it is served, that no controller takes back.
	Status map[string]any `json:"status"`
	// Subresources are requests to those beside status and scale, by name; every verb of theirs is asked for.
	Subresources map[string][]request `json:"subresources"`
	// StatusOnCreate tells that an object may be made with its status.
	StatusOnCreate bool `json:"statusOnCreate"`
	// OneGeneration tells that the generation stays 1, whatever changes.
	OneGeneration bool `json:"oneGeneration"`
	// LateGeneration tells that the first change gives a generation, not the creation.
	LateGeneration bool `json:"lateGeneration"`
	// LabelsCount tells that a change of labels raises the generation too.
	LabelsCount bool `json:"labelsCount"`
	// Group is what refusals name, where objects are kept as another group's.
	Group *string `json:"group"`
	// Conditional tells that an update must name the resourceVersion that it is made from.
	Conditional bool `json:"conditional"`
	// Upsert tells that an update of an object that is not there makes it.
	Upsert bool `json:"upsert"`
	// Answer is a part of what is said to the object of a kind that is only answered, never stored.
	Answer map[string]any `json:"answer"`
}

// request is one to a subresource, with what is expected of the answer.
type request struct {
	Verbs []string       `json:"verbs"`
	Query string         `json:"query"`
	Body  map[string]any `json:"body"` // of an update or a patch: what to change, as a strategic merge patch; $name is the object's
	Code  int            `json:"code"`
	Says  string         `json:"says"`
}

// fileName is where the example of a resource is: "configmaps.v1.yaml", "deployments.v1.apps.yaml".
func fileName(gvr schema.GroupVersionResource) string {
	return strings.TrimSuffix(gvr.Resource+"."+gvr.Version+"."+gvr.Group, ".") + ".yaml"
}

// load reads a resource's example, for a namespace; whoever adds a kind adds its file.
func load(t *testing.T, gvr schema.GroupVersionResource, namespace string) example {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", fileName(gvr)))
	if err != nil {
		t.Fatalf("every kind needs an example: %v", err)
	}
	var e example
	if err := yaml.UnmarshalStrict(bytes.ReplaceAll(raw, []byte("$namespace"), []byte(namespace)), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// checkFiles: a file whose name is wrong would prove nothing.
func (s *served) checkFiles(t *testing.T) {
	known := map[string]bool{}
	for _, r := range s.resources {
		known[fileName(r.gvr)] = true
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f.Name()] {
			t.Errorf("testdata/%s is of no resource that is served", f.Name())
		}
	}
}
