package everykind

import (
	"context"
	"maps"
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func patchKinds(t *testing.T, s *subject) {
	name := s.make(t, "a", "1").GetName()
	for _, p := range []struct {
		how  types.PatchType
		body string
		want map[string]string
	}{
		{types.JSONPatchType, `[{"op":"test","path":"/metadata/labels/a","value":"1"},{"op":"add","path":"/metadata/labels/b","value":"2"}]`,
			map[string]string{"a": "1", "b": "2"}},
		{types.MergePatchType, `{"metadata":{"labels":{"a":null,"c":"3"}}}`, map[string]string{"b": "2", "c": "3"}},
		{types.StrategicMergePatchType, `{"metadata":{"labels":{"$patch":"replace","d":"4"}}}`, map[string]string{"d": "4"}},
	} {
		dry, err := s.objects().Patch(t.Context(), name, p.how, []byte(p.body), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		before := s.get(t, name)
		if err != nil || !has(dry.GetLabels(), p.want) || has(before.GetLabels(), p.want) {
			t.Errorf("%s, dry: %v, %v", p.how, dry, err)
		}
		got, err := s.objects().Patch(t.Context(), name, p.how, []byte(p.body), metav1.PatchOptions{FieldManager: manager})
		if err != nil {
			t.Fatalf("%s: %v", p.how, err)
		}
		if !has(got.GetLabels(), p.want) || got.GetResourceVersion() == before.GetResourceVersion() || got.GetUID() != before.GetUID() {
			t.Errorf("%s made %v of %v", p.how, got.Object["metadata"], before.Object["metadata"])
		}
		owns(t, got, manager, metav1.ManagedFieldsOperationUpdate, "")
	}
}

// has says whether the labels among those of these tests are the wanted ones: some kinds give labels of their own.
func has(labels, want map[string]string) bool {
	ours := maps.Clone(labels)
	maps.DeleteFunc(ours, func(key, _ string) bool { return len(key) > 1 })
	return maps.Equal(ours, want)
}

func patchRefused(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	for _, tt := range []struct {
		how    types.PatchType
		body   string
		code   int32
		reason metav1.StatusReason
		says   string
	}{
		{types.JSONPatchType, `[{"op":"test","path":"/metadata/name","value":"another"}]`, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "test"},
		{types.JSONPatchType, `{"op":"test"}`, http.StatusBadRequest, metav1.StatusReasonBadRequest, ""},
		{types.MergePatchType, `{"metadata":`, http.StatusBadRequest, metav1.StatusReasonBadRequest, ""},
		{types.StrategicMergePatchType, `[]`, http.StatusBadRequest, metav1.StatusReasonBadRequest, ""},
		{types.MergePatchType, `{"metadata":{"resourceVersion":"1","labels":{"x":"y"}}}`, http.StatusConflict, metav1.StatusReasonConflict, "the object has been modified"},
		{types.MergePatchType, `{"metadata":{"name":"another"}}`, http.StatusBadRequest, metav1.StatusReasonBadRequest, "does not match the name on the URL"},
		{types.MergePatchType, `{"metadata":{"labels":{"-":"y"}}}`, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "metadata.labels: Invalid value"},
		{"application/x-nonsense", `{}`, http.StatusUnsupportedMediaType, metav1.StatusReasonUnsupportedMediaType, ""},
	} {
		_, err := s.objects().Patch(t.Context(), name, tt.how, []byte(tt.body), metav1.PatchOptions{})
		t.Logf("%s %s", tt.how, tt.body)
		refused(t, err, tt.code, tt.reason, tt.says)
	}
	_, err := s.objects().Patch(t.Context(), "nothing", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
	s.refusedOf(t, "nothing", err, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
	_, err = s.objects().Patch(t.Context(), name, types.MergePatchType, []byte(`{"nonsense":1}`), metav1.PatchOptions{FieldValidation: "Strict"})
	if err == nil {
		t.Error("a strict patch took a field that nobody knows")
	}
}

func patchGeneration(t *testing.T, s *subject) {
	made := s.make(t)
	if made.GetGeneration() == 0 && s.Change == nil {
		return
	}
	if s.Change == nil {
		t.Fatal("a kind with a generation needs a change in its example")
	}
	before, got := s.patchAlone(t, made.GetName(), s.Change)
	expectHas(t, got, s.Change)
	want := before.GetGeneration() + 1
	if made.GetGeneration() == 0 && !s.LateGeneration || s.OneGeneration {
		want = before.GetGeneration()
	}
	if got.GetGeneration() != want {
		t.Errorf("the generation went from %d to %d", before.GetGeneration(), got.GetGeneration())
	}
}

// patchAlone is a merge patch, and the object that nobody else came to change in between.
func (s *subject) patchAlone(t *testing.T, name string, patch map[string]any, subresources ...string) (before, after *unstructured.Unstructured) {
	t.Helper()
	eventually(t, "a patch that nobody comes before", func(ctx context.Context) (err error) {
		if before, err = s.objects().Get(ctx, name, metav1.GetOptions{}); err != nil {
			return err
		}
		at := map[string]any{"metadata": map[string]any{"resourceVersion": before.GetResourceVersion()}}
		after, err = s.objects().Patch(ctx, name, types.MergePatchType, encode(t, merged(at, patch)), metav1.PatchOptions{FieldManager: manager}, subresources...)
		return err
	})
	return before, after
}
