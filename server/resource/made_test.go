package resource_test

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store/storetest"
)

// What is made of other objects is selected as those are; what there is nothing to tell of is not there.
func TestMade(t *testing.T) {
	a := resource.New(storetest.New(t), kind.All(), resource.WithMaker(func(k *kind.Kind, about runtime.Object) (runtime.Object, bool) {
		node, ok := about.(*corev1.Node)
		if !ok || k != kind.NodeMetrics || node.Name == "quiet" {
			return nil, false
		}
		return &metricsv1beta1.NodeMetrics{ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels}}, true
	}))
	nodes := resource.For[*corev1.Node](a, kind.Node, "test")
	for name, zone := range map[string]string{"a": "east", "b": "west", "c": "east", "quiet": "east"} {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"zone": zone}}}
		if _, err := nodes.Create(t.Context(), node); err != nil {
			t.Fatal(err)
		}
	}
	target := resource.Target{Kind: kind.NodeMetrics}
	for _, tt := range []struct {
		options metav1.ListOptions
		want    []string
	}{
		{metav1.ListOptions{}, []string{"a", "b", "c"}},
		{metav1.ListOptions{LabelSelector: "zone=east"}, []string{"a", "c"}},
		{metav1.ListOptions{FieldSelector: "metadata.name=b"}, []string{"b"}},
		{metav1.ListOptions{FieldSelector: "metadata.name=quiet"}, nil},
	} {
		list, err := a.List(t.Context(), target, tt.options)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, it := range list.Items {
			obj, err := it.Object()
			if m, ok := obj.(*metricsv1beta1.NodeMetrics); err != nil || !ok || m.Kind != "NodeMetrics" {
				t.Errorf("%s is a %T, %v", it.Key, obj, err)
			}
			names = append(names, it.Key.Name)
		}
		if !slices.Equal(names, tt.want) {
			t.Errorf("%+v: %v, not %v", tt.options, names, tt.want)
		}
	}
	for name, want := range map[string]string{
		"quiet":  `nodemetrics.metrics.k8s.io "quiet" not found`,
		"nobody": `nodes "nobody" not found`,
	} {
		if _, err := a.Get(t.Context(), target.Named(name), metav1.GetOptions{}); !apierrors.IsNotFound(err) || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := a.List(t.Context(), target, metav1.ListOptions{FieldSelector: "spec.unschedulable=true"}); !apierrors.IsBadRequest(err) {
		t.Errorf("selected by a field of the node's: %v", err)
	}
}
