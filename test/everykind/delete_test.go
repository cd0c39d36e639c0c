package everykind

import (
	"net/http"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func deletePreconditions(t *testing.T, s *subject) {
	made := s.make(t)
	name, uid, stale := made.GetName(), types.UID("another"), "1"
	for _, p := range []*metav1.Preconditions{{UID: &uid}, {ResourceVersion: &stale}} {
		err := s.objects().Delete(t.Context(), name, metav1.DeleteOptions{Preconditions: p})
		s.refusedOf(t, name, err, http.StatusConflict, metav1.StatusReasonConflict, "precondition")
	}
	if err := s.objects().Delete(t.Context(), name, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Error(err)
	}
	if s.get(t, name).GetDeletionTimestamp() != nil {
		t.Error("the dry run began to delete it")
	}
	uid = made.GetUID()
	if err := s.objects().Delete(t.Context(), name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}); err != nil {
		t.Error(err)
	}
	s.awaitGone(t, name)
}

func deleteFinalizers(t *testing.T, s *subject) {
	const finalizer = "example.com/held"
	name := s.make(t).GetName()
	s.patch(t, name, map[string]any{"metadata": map[string]any{"finalizers": []any{finalizer}}})
	now := int64(0)
	if err := s.objects().Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
	held := s.get(t, name)
	if held.GetDeletionTimestamp() == nil || !slices.Contains(held.GetFinalizers(), finalizer) {
		t.Fatalf("it is %v", held.Object["metadata"])
	}
	_, err := s.objects().Patch(t.Context(), name, types.MergePatchType, []byte(`{"metadata":{"finalizers":["`+finalizer+`","example.com/late"]}}`), metav1.PatchOptions{})
	s.refusedOf(t, name, err, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted")
	s.patch(t, name, map[string]any{"metadata": map[string]any{"finalizers": nil}})
	s.awaitGone(t, name)
}

func deleteTwice(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	now := int64(0)
	if err := s.objects().Delete(t.Context(), name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, name)
	err := s.objects().Delete(t.Context(), name, metav1.DeleteOptions{})
	s.refusedOf(t, name, err, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
	_, err = s.objects().Patch(t.Context(), name, types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
	s.refusedOf(t, name, err, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
}

func deleteSelected(t *testing.T, s *subject) {
	going, staying := s.make(t, "collected", "yes").GetName(), s.make(t, "collected", "no").GetName()
	selected := metav1.ListOptions{LabelSelector: "collected=yes"}
	now := int64(0)
	dry := metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}, GracePeriodSeconds: &now}
	if err := s.objects().DeleteCollection(t.Context(), dry, selected); err != nil {
		t.Error(err)
	}
	if s.get(t, going).GetDeletionTimestamp() != nil {
		t.Error("the dry run began to delete it")
	}
	if err := s.objects().DeleteCollection(t.Context(), metav1.DeleteOptions{GracePeriodSeconds: &now}, selected); err != nil {
		t.Fatal(err)
	}
	s.awaitGone(t, going)
	if s.get(t, staying).GetDeletionTimestamp() != nil {
		t.Error("what was not selected is deleted")
	}
	err := s.objects().DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "a in"})
	refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest, "")
}
