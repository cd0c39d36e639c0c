package resource_test

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

func TestLifeOfAPod(t *testing.T) {
	a, ctx := newAPI(t), context.Background()
	w, err := a.Watch(ctx, pods(""), metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		t.Fatal(err)
	}
	it := create(t, a, pods(""), newPod("p"))
	t.Logf("%s", it.JSON)
	it = must(a.Get(ctx, pods("p"), metav1.GetOptions{}))(t)
	pod := object[*corev1.Pod](t, it).DeepCopy()
	pod.Labels["app"] = "other"
	it, _, err = a.Update(ctx, pods("p"), pod, metav1.UpdateOptions{FieldManager: "x"})
	if err != nil {
		t.Fatal(err)
	}
	it, _, err = a.Patch(ctx, pods("p"), types.ApplyYAMLPatchType, []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","labels":{"app":"web"}}}`), metav1.PatchOptions{FieldManager: "ap"})
	t.Log(err)
	_, gone, err := a.Delete(ctx, pods("p"), metav1.DeleteOptions{})
	if err != nil || !gone {
		t.Fatal(gone, err)
	}
	var types []watch.EventType
	for len(types) < 2 {
		events, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			types = append(types, e.Type)
		}
	}
	t.Log(types)
}
