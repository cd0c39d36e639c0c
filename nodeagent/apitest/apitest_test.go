package apitest

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func web() *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "u"}, Spec: corev1.PodSpec{NodeName: "node"}}
}

// TestVersions: every state has its own, the same in answers, lists and events, and who knows an older one writes nothing.
func TestVersions(t *testing.T) {
	pods := New(web()).CoreV1().Pods("ns")
	list, err := pods.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := pods.Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Stop()
	first := &list.Items[0]
	patched, err := pods.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"status":{"phase":"Running"}}`), metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
	if first.ResourceVersion != list.ResourceVersion || patched.ResourceVersion == first.ResourceVersion {
		t.Errorf("list %s, pod %s, then %s", list.ResourceVersion, first.ResourceVersion, patched.ResourceVersion)
	}
	if e := <-w.ResultChan(); e.Type != watch.Modified || e.Object.(*corev1.Pod).ResourceVersion != patched.ResourceVersion {
		t.Errorf("event %v", e)
	}
	if _, err := pods.Update(t.Context(), first, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("an update of the past: %v", err)
	}
	if _, err := pods.Patch(t.Context(), "web", types.MergePatchType, []byte(`{"metadata":{"uid":"x"}}`), metav1.PatchOptions{}); !apierrors.IsConflict(err) {
		t.Errorf("a patch of another pod: %v", err)
	}
}

// TestDeletion: a pod on a node is marked, and gone when it is deleted with no grace; by its UID only.
func TestDeletion(t *testing.T) {
	a, none, other := New(web()), int64(0), types.UID("x")
	pods := a.CoreV1().Pods("ns")
	if err := pods.Delete(t.Context(), "web", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &other}}); !apierrors.IsConflict(err) {
		t.Errorf("a deletion of another pod: %v", err)
	}
	a.Delete(t, "ns", "web", 5)
	if p := a.Pod(t, "ns", "web"); p.DeletionTimestamp == nil || *p.DeletionGracePeriodSeconds != 5 {
		t.Errorf("marked as %v", p.ObjectMeta)
	}
	if err := pods.Delete(t.Context(), "web", metav1.DeleteOptions{GracePeriodSeconds: &none}); err != nil || a.Pod(t, "ns", "web").Name != "" {
		t.Errorf("the pod is still there: %v", err)
	}
}
