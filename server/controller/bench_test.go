package controller

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
	"leme/server/store/storetest"
)

// podsOfASet is how many pods each ReplicaSet of a benchmark has, and setsOfANamespace how many of them share one.
const (
	podsOfASet       = 10
	setsOfANamespace = 10
)

// manyPods is a store with n running pods, those of a ReplicaSet each named after it, and with the ReplicaSets.
func manyPods(b *testing.B, n int) *environment {
	b.Helper()
	s := storetest.Open(b, store.Config{DataDir: b.TempDir(), NoSync: true, Decode: storetest.Decode})
	e := &environment{api: resource.New(s, kind.All()), now: time.Now}
	e.events = event.NewRecorder(resource.For[*corev1.Event](e.api, kind.Event, "tester"), "test")
	var ops []store.Op
	flush := func() {
		if _, err := s.Commit(b.Context(), ops...); err != nil {
			b.Fatal(err)
		}
		ops = nil
	}
	put := func(k *kind.Kind, o object) {
		value, err := store.Encode(o, k.GroupVersionKind)
		if err != nil {
			b.Fatal(err)
		}
		ops = append(ops, store.Op{Key: store.Key{GroupResource: k.GroupResource(), Namespace: o.GetNamespace(), Name: o.GetName()}, Value: value})
		if len(ops) == store.MaxOps {
			flush()
		}
	}
	for i := range n / podsOfASet {
		namespace, app := fmt.Sprint("n", i/setsOfANamespace), fmt.Sprint("web-", i)
		labels := map[string]string{"app": app}
		rs := testSet(app, "web:1", podsOfASet, func(rs *appsv1.ReplicaSet) {
			rs.Namespace, rs.Spec.Selector, rs.Spec.Template.Labels = namespace, &metav1.LabelSelector{MatchLabels: labels}, labels
			rs.Status.FullyLabeledReplicas, rs.Status.TerminatingReplicas = podsOfASet, ptr.To[int32](0)
		})
		put(kind.ReplicaSet, rs)
		for p := range podsOfASet {
			put(kind.Pod, testPod(fmt.Sprint(app, "-", p), func(p *corev1.Pod) {
				p.Namespace, p.Labels, p.UID = namespace, labels, types.UID(namespace+p.Name)
				p.Status.PodIP, p.Status.PodIPs = "10.42.0.2", []corev1.PodIP{{IP: "10.42.0.2"}}
				p.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(rs, kind.ReplicaSet.GroupVersionKind)}
			}))
		}
	}
	if len(ops) > 0 {
		flush()
	}
	return e
}

// BenchmarkOneChange is what a change of one ReplicaSet's pods costs its controller, and the one of services, among so
// many pods in all: it must not grow with them.
func BenchmarkOneChange(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n, " pods"), func(b *testing.B) {
			e := manyPods(b, n)
			sets := newReplicaSets(e).(*loop[objectKey])
			slices := newEndpointSlices(e).(*loop[objectKey])
			key := objectKey{Namespace: "n0", Name: "web-0"}
			it := e.api.Store().Snapshot(kind.Pod.GroupResource()).Get("n0", "web-0-0")
			changed := store.Event{Type: "MODIFIED", Item: it, Prev: it}
			b.Run("replica set", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					found := false
					sets.sources[1].keys(changed, func(k objectKey) { found = found || k == key })
					if !found {
						b.Fatal("the pod's ReplicaSet is not looked at")
					}
					if _, err := sets.reconcile(b.Context(), key); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("services of a pod", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					slices.sources[1].keys(store.Event{Type: "ADDED", Item: it}, func(objectKey) {})
				}
			})
		})
	}
}
