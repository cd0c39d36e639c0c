package everykind

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var asManager = metav1.UpdateOptions{FieldManager: manager}

func updateConflict(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	eventually(t, "an update that nobody comes before", func(ctx context.Context) error {
		obj, err := s.objects().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		stale := obj.DeepCopy()
		label(obj, "updated", "yes")
		updated, err := s.objects().Update(ctx, obj, asManager)
		if err != nil {
			return err
		}
		counted := updated.GetGeneration() != obj.GetGeneration()
		if updated.GetResourceVersion() == obj.GetResourceVersion() || counted != s.LabelsCount || updated.GetLabels()["updated"] != "yes" {
			t.Errorf("the update made %v of %v", updated.Object["metadata"], obj.Object["metadata"])
		}
		label(stale, "updated", "late")
		_, err = s.objects().Update(ctx, stale, asManager)
		s.refusedOf(t, name, err, http.StatusConflict, metav1.StatusReasonConflict, "the object has been modified")
		return nil
	})
	if got := s.get(t, name).GetLabels()["updated"]; got != "yes" {
		t.Errorf("who came late wrote %q", got)
	}
}

func updateNothing(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	eventually(t, "an update that changes nothing", func(ctx context.Context) error {
		obj, err := s.objects().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		same, err := s.objects().Update(ctx, obj, asManager)
		if err == nil && same.GetResourceVersion() != obj.GetResourceVersion() {
			return fmt.Errorf("it went from version %s to %s", obj.GetResourceVersion(), same.GetResourceVersion())
		}
		return err
	})
}

func updateUnconditional(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	eventually(t, "an update without a resource version", func(ctx context.Context) error {
		obj, err := s.objects().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		obj.SetResourceVersion("")
		label(obj, "unconditional", "yes")
		updated, err := s.objects().Update(ctx, obj, asManager)
		if s.Conditional {
			refused(t, err, http.StatusUnprocessableEntity, metav1.StatusReasonInvalid, "metadata.resourceVersion: Invalid value: 0: must be specified for an update")
			return nil
		}
		if err == nil && updated.GetLabels()["unconditional"] != "yes" {
			t.Errorf("got %v", updated)
		}
		return err
	})
}

func updateNothingThere(t *testing.T, s *subject) {
	obj := s.next()
	name := obj.GetName()
	t.Cleanup(func() { s.remove(t, name) })
	made, err := s.objects().Update(t.Context(), obj, asManager)
	if s.Upsert {
		if err != nil || made.GetUID() == "" {
			t.Errorf("an update that makes it: %v, %v", made, err)
		}
		return
	}
	s.refusedOf(t, name, err, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
}

func updateWrong(t *testing.T, s *subject) {
	obj := s.get(t, s.make(t).GetName())
	err := s.ask(t, "PUT", s.path("another"), "", asJSON, asJSON, encode(t, obj)).Error()
	refused(t, err, http.StatusBadRequest, metav1.StatusReasonBadRequest,
		"the name of the object ("+obj.GetName()+") does not match the name on the URL (another)")
	obj.SetUID("another")
	obj.SetResourceVersion("")
	_, err = s.objects().Update(t.Context(), obj, asManager)
	if !apierrors.IsConflict(err) && !apierrors.IsInvalid(err) {
		t.Errorf("another object of the name was written over: %v", err)
	}
}

func updateDryRun(t *testing.T, s *subject) {
	name := s.make(t).GetName()
	eventually(t, "a dry run", func(ctx context.Context) error {
		obj, err := s.objects().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		label(obj, "dry", "yes")
		got, err := s.objects().Update(ctx, obj, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		if err == nil && got.GetLabels()["dry"] != "yes" {
			t.Errorf("the dry run shows %v", got.GetLabels())
		}
		return err
	})
	if s.get(t, name).GetLabels()["dry"] != "" {
		t.Error("the dry run was kept")
	}
}
