package everykind

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func getTyped(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	eventually(t, "both forms of one state", func(context.Context) error {
		fromJSON := decodeAny(t, read(t, s.ask(t, "GET", s.path(name), "", "", asJSON, nil)))
		fromProtobuf := decodeAny(t, read(t, s.ask(t, "GET", s.path(name), "", "", asProtobuf, nil)))
		one, other := metaOf(t, fromJSON).GetResourceVersion(), metaOf(t, fromProtobuf).GetResourceVersion()
		if one != other {
			return fmt.Errorf("versions %s and %s", one, other)
		}
		if !equality.Semantic.DeepEqual(fromJSON, fromProtobuf) {
			t.Errorf("JSON:\n%v\nprotobuf:\n%v", fromJSON, fromProtobuf)
		}
		return nil
	})
}

func getYAML(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	raw := read(t, s.ask(t, "GET", s.path(name), "", "", asYAML, nil))
	if raw[0] == '{' || metaOf(t, decodeAny(t, raw)).GetName() != name {
		t.Errorf("the YAML is\n%s", raw)
	}
}

// table reads a Table and checks that it is whole.
func table(t *testing.T, raw []byte) *metav1.Table {
	t.Helper()
	var got metav1.Table
	if err := json.Unmarshal(raw, &got); err != nil || got.Kind != "Table" {
		t.Fatalf("%v, %s", err, raw)
	}
	for _, row := range got.Rows {
		if len(row.Cells) != len(got.ColumnDefinitions) {
			t.Errorf("%d cells below %d columns", len(row.Cells), len(got.ColumnDefinitions))
		}
	}
	return &got
}

// rowMeta is the metadata of a table's row.
func rowMeta(t *testing.T, row metav1.TableRow) *metav1.PartialObjectMetadata {
	t.Helper()
	var got metav1.PartialObjectMetadata
	if err := json.Unmarshal(row.Object.Raw, &got); err != nil {
		t.Fatal(err)
	}
	return &got
}

func getTable(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	got := table(t, read(t, s.ask(t, "GET", s.path(name), "", "", asTable, nil)))
	if len(got.Rows) != 1 || len(got.ColumnDefinitions) == 0 || got.ResourceVersion == "" {
		t.Fatalf("the table is %v", got)
	}
	if row := rowMeta(t, got.Rows[0]); row.Kind != "PartialObjectMetadata" || row.Name != name || row.UID == "" {
		t.Errorf("the row is of %v", row)
	}
	if got := table(t, read(t, s.ask(t, "GET", s.path(name), "includeObject=None", "", asTable, nil))); got.Rows[0].Object.Raw != nil {
		t.Errorf("the row without an object has %s", got.Rows[0].Object.Raw)
	}
	whole := table(t, read(t, s.ask(t, "GET", s.path(name), "includeObject=Object", "", asTable, nil)))
	if obj := decodeAny(t, whole.Rows[0].Object.Raw); metaOf(t, obj).GetName() != name {
		t.Errorf("the row with its object has %v", obj)
	}
}

func getMetadata(t *testing.T, s *subject) {
	want := s.make(t, "a", "b")
	got, err := s.metadata.Resource(s.gvr).Namespace(s.namespace).Get(t.Context(), want.GetName(), metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.UID != want.GetUID() || got.Labels["a"] != "b" {
		t.Errorf("got %v", got)
	}
}

func getNothing(t *testing.T, s *subject) {
	_, err := s.objects().Get(t.Context(), "nothing", metav1.GetOptions{})
	s.refusedOf(t, "nothing", err, http.StatusNotFound, metav1.StatusReasonNotFound, s.named().String()+` "nothing" not found`)
	_, err = s.objects().Get(t.Context(), "nothing", metav1.GetOptions{ResourceVersion: "x"})
	if err == nil {
		t.Error("a resource version of letters is taken")
	}
}

func getUnknownForm(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	for _, accept := range []string{"application/x-nonsense", "application/json;as=Nonsense;v=v1;g=meta.k8s.io"} {
		err := s.ask(t, "GET", s.path(name), "", "", accept, nil).Error()
		refused(t, err, http.StatusNotAcceptable, metav1.StatusReasonNotAcceptable, "")
	}
	// An older client takes what is whole when there is no table.
	raw := read(t, s.ask(t, "GET", s.path(name), "", "", "application/json;as=Nonsense;v=v1;g=meta.k8s.io,application/json", nil))
	if metaOf(t, decodeAny(t, raw)).GetName() != name {
		t.Errorf("got %s", raw)
	}
}
