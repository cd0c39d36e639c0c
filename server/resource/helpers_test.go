package resource_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
	"leme/server/store"
	"leme/server/store/storetest"
)

// newAPI starts the verbs over a real store that holds the namespace "default" and its service account.
func newAPI(t testing.TB) *resource.API {
	t.Helper()
	a := resource.New(storetest.New(t), kind.All())
	resourcetest.Namespace(t, a, "default", nil)
	return a
}

func target(k *kind.Kind, namespace, name string) resource.Target {
	return resource.Target{Kind: k, Namespace: namespace, Name: name, User: "tester"}
}

func pods(name string) resource.Target { return target(kind.Pod, "default", name) }

func configMaps(name string) resource.Target { return target(kind.ConfigMap, "default", name) }

func newPod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
	}
}

func newConfigMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
}

// must ends the test when a verb failed: must(api.Get(…))(t).
func must(it *store.Item, err error) func(testing.TB) *store.Item {
	return func(t testing.TB) *store.Item {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return it
	}
}

func object[T runtime.Object](t testing.TB, it *store.Item) T {
	t.Helper()
	obj, err := it.Object()
	if err != nil {
		t.Fatal(err)
	}
	return obj.(T)
}

func create(t testing.TB, a *resource.API, tg resource.Target, obj runtime.Object) *store.Item {
	t.Helper()
	return must(a.Create(context.Background(), tg, obj, metav1.CreateOptions{}))(t)
}

func reason(t testing.TB, err error, want metav1.StatusReason) {
	t.Helper()
	if got := apierrors.ReasonForError(err); err == nil || got != want {
		t.Fatalf("got %v (%s), want reason %s", err, got, want)
	}
}

// churn makes more changes of ConfigMaps than a store keeps.
func churn(t testing.TB, a *resource.API) {
	t.Helper()
	const keys, rounds = 100, 17
	seen := make([]int64, keys)
	for round := range rounds {
		ops := make([]store.Op, keys)
		for i := range ops {
			cm := newConfigMap(fmt.Sprintf("churn-%d", i), map[string]string{"round": fmt.Sprint(round)})
			cm.Namespace = "default"
			raw, err := store.Encode(cm, kind.ConfigMap.GroupVersionKind)
			if err != nil {
				t.Fatal(err)
			}
			key := store.Key{GroupResource: kind.ConfigMap.GroupResource(), Namespace: "default", Name: cm.Name}
			ops[i] = store.Op{Key: key, Value: raw, Expect: seen[i]}
		}
		revision, err := a.Store().Commit(context.Background(), ops...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range seen {
			seen[i] = revision
		}
	}
}
