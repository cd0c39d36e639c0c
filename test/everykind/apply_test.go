package everykind

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// bare is what names an object and says nothing of it but its labels, given as key, value, ….
func (s *subject) bare(name string, labels ...string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetGroupVersionKind(s.gvk())
	obj.SetName(name)
	label(obj, labels...)
	return obj
}

func applyLife(t *testing.T, s *subject) {
	obj := s.next()
	name := obj.GetName()
	label(obj, "one", "1", "two", "2")
	t.Cleanup(func() { s.remove(t, name) })
	options := metav1.ApplyOptions{FieldManager: manager}
	made, err := s.objects().Apply(t.Context(), name, obj, options)
	if err != nil {
		t.Fatal(err)
	}
	expectHas(t, made, obj.Object)
	owns(t, made, manager, metav1.ManagedFieldsOperationApply, "")
	eventually(t, "an apply of the same", func(ctx context.Context) error {
		before, err := s.objects().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		same, err := s.objects().Apply(ctx, name, obj, options)
		if err == nil && same.GetResourceVersion() != before.GetResourceVersion() {
			return fmt.Errorf("it went from version %s to %s", before.GetResourceVersion(), same.GetResourceVersion())
		}
		return err
	})
	// Another's field is left alone, one's own that is not said any more goes.
	if _, err := s.objects().Apply(t.Context(), name, s.bare(name, "three", "3"), metav1.ApplyOptions{FieldManager: "another"}); err != nil {
		t.Fatal(err)
	}
	labels := obj.GetLabels()
	delete(labels, "two")
	obj.SetLabels(labels)
	got, err := s.objects().Apply(t.Context(), name, obj, options)
	if err != nil {
		t.Fatal(err)
	}
	if l := got.GetLabels(); l["one"] != "1" || l["two"] != "" || l["three"] != "3" {
		t.Errorf("the labels are %v", l)
	}
}

func applyConflict(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	first, second := metav1.ApplyOptions{FieldManager: "first"}, metav1.ApplyOptions{FieldManager: "second"}
	if _, err := s.objects().Apply(t.Context(), name, s.bare(name, "whose", "first"), first); err != nil {
		t.Fatal(err)
	}
	_, err := s.objects().Apply(t.Context(), name, s.bare(name, "whose", "second"), second)
	refused(t, err, http.StatusConflict, metav1.StatusReasonConflict, `Apply failed with 1 conflict: conflict with "first": .metadata.labels.whose`)
	if status, ok := err.(apierrors.APIStatus); ok {
		causes := status.Status().Details.Causes
		if len(causes) != 1 || causes[0].Type != metav1.CauseTypeFieldManagerConflict || causes[0].Field != ".metadata.labels.whose" {
			t.Errorf("the causes are %v", causes)
		}
	}
	second.Force = true
	got, err := s.objects().Apply(t.Context(), name, s.bare(name, "whose", "second"), second)
	if err != nil || got.GetLabels()["whose"] != "second" {
		t.Errorf("by force: %v, %v", got, err)
	}
	// Both may say the same.
	if _, err := s.objects().Apply(t.Context(), name, s.bare(name, "whose", "second"), first); err != nil {
		t.Error(err)
	}
}

func applyRefused(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	for _, tt := range []struct {
		body    string
		options metav1.PatchOptions
		code    int32
		reason  metav1.StatusReason
		says    string
	}{
		{string(encode(t, s.bare(name, "a", "b"))), metav1.PatchOptions{}, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid,
			"fieldManager: Required value: is required for apply patch"},
		{string(encode(t, s.bare("another", "a", "b"))), metav1.PatchOptions{FieldManager: manager}, http.StatusBadRequest, metav1.StatusReasonBadRequest,
			"does not match the name on the URL"},
		{`{"kind":`, metav1.PatchOptions{FieldManager: manager}, http.StatusBadRequest, metav1.StatusReasonBadRequest, ""},
		{string(encode(t, map[string]any{"apiVersion": s.bare(name).GetAPIVersion(), "kind": s.Kind, "metadata": map[string]any{"name": name}, "nonsense": "x"})),
			metav1.PatchOptions{FieldManager: manager}, http.StatusBadRequest, metav1.StatusReasonBadRequest, "field not declared in schema"},
	} {
		_, err := s.objects().Patch(t.Context(), name, types.ApplyPatchType, []byte(tt.body), tt.options)
		t.Log(tt.body)
		refused(t, err, tt.code, tt.reason, tt.says)
	}
}
