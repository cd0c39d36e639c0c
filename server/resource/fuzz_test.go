package resource

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/kind"
	"leme/server/store"
	"leme/server/store/storetest"
)

// clean checks that bad input gets an answer that is not the server's fault.
func clean(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	status, ok := err.(apierrors.APIStatus)
	if !ok || status.Status().Code >= 500 {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("application/json", "Strict", []byte(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"a"}]}}`))
	f.Add("application/yaml", "Warn", []byte("a: &a [1]\nb: *a\nmetadata: {name: x}"))
	f.Add("application/vnd.kubernetes.protobuf", "Ignore", []byte("k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod"))
	f.Fuzz(func(t *testing.T, contentType, validation string, body []byte) {
		obj, _, err := Decode(kind.Pod.GroupVersionKind, kind.Pod.New(), contentType, body, validation)
		clean(t, err)
		if err == nil {
			if _, err := store.Encode(obj, kind.Pod.GroupVersionKind); err != nil {
				t.Errorf("what was decoded cannot be encoded: %v", err)
			}
		}
	})
}

func FuzzContinue(f *testing.F) {
	f.Add(continueAfter(store.Key{GroupResource: kind.Pod.GroupResource(), Namespace: "a", Name: "b"}, 7))
	f.Fuzz(func(t *testing.T, token string) {
		c, err := parseContinue(Target{Kind: kind.Pod}, token)
		if err == nil && (c.Name == "" || c.Namespace == "" || c.Revision == 0) {
			t.Errorf("got %+v", c)
		}
	})
}

func FuzzSelector(f *testing.F) {
	f.Add("app in (a,b),!c", "spec.nodeName=n,metadata.name!=x")
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "a", Labels: map[string]string{"app": "a"}}}
	raw, err := store.Encode(pod, kind.Pod.GroupVersionKind)
	if err != nil {
		f.Fatal(err)
	}
	it := newItem(store.Key{GroupResource: kind.Pod.GroupResource(), Namespace: "a", Name: "p"}, 3, raw, pod)
	f.Fuzz(func(t *testing.T, labels, fields string) {
		s, err := newSelector(Target{Kind: kind.Pod}, metav1.ListOptions{LabelSelector: labels, FieldSelector: fields})
		clean(t, err)
		if err == nil {
			if _, err := s.matches(it); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzPatch(f *testing.F) {
	f.Add(0, []byte(`[{"op":"move","from":"/spec","path":"/status"},{"op":"copy","from":"","path":"/metadata/labels"}]`))
	f.Add(1, []byte(`{"metadata":{"labels":{"a":null}},"spec":null}`))
	f.Add(2, []byte(`{"spec":{"containers":[{"name":"a","$patch":"delete"},{"$retainKeys":["x"]}],"$setElementOrder/containers":[{"name":"a"}]}}`))
	f.Add(3, []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}]}"))
	a := New(storetest.New(f), kind.All())
	ctx := context.Background()
	if _, err := a.Create(ctx, Target{Kind: kind.Namespace}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, metav1.CreateOptions{}); err != nil {
		f.Fatal(err)
	}
	accounts := Target{Kind: kind.ServiceAccount, Namespace: "a"}
	if _, err := a.Create(ctx, accounts, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}, metav1.CreateOptions{}); err != nil {
		f.Fatal(err)
	}
	pods := Target{Kind: kind.Pod, Namespace: "a"}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "b"}}}}
	if _, err := a.Create(ctx, pods, pod, metav1.CreateOptions{}); err != nil {
		f.Fatal(err)
	}
	sorts := []types.PatchType{types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType, types.ApplyYAMLPatchType}
	f.Fuzz(func(t *testing.T, sort int, data []byte) {
		o := metav1.PatchOptions{FieldManager: "fuzz", DryRun: []string{metav1.DryRunAll}}
		_, _, err := a.Patch(ctx, pods.Named("p"), sorts[uint(sort)%uint(len(sorts))], data, o)
		clean(t, err)
	})
}

// FuzzWeigh: what is let in decodes to about as much as it was weighed.
func FuzzWeigh(f *testing.F) {
	f.Add("application/json", []byte(`{"a":[1,"\"[",{}],"b":{}}`))
	f.Add("application/yaml", []byte("a: &a [1]\nb: *a\n- c"))
	f.Add("application/vnd.kubernetes.protobuf", []byte("k8s\x00\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x04\x12\x02\x12\x00"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		weight, err := Weigh(contentType, body)
		clean(t, err)
		if err == nil && weight < int64(len(body)) {
			t.Errorf("%d bytes weigh %d", len(body), weight)
		}
	})
}
