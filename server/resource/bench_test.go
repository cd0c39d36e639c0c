package resource_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// filled has n pods, written straight to the store, in which every tenth is of the app "web".
func filled(b *testing.B, n int) *resource.API {
	a := newAPI(b)
	it := create(b, a, pods(""), newPod("model"))
	pod := object[*corev1.Pod](b, it).DeepCopy()
	var ops []store.Op
	for i := range n {
		pod.Name = fmt.Sprintf("pod-%06d", i)
		pod.Labels["app"] = "other"
		if i%10 == 0 {
			pod.Labels["app"] = "web"
		}
		raw, err := store.Encode(pod, kind.Pod.GroupVersionKind)
		if err != nil {
			b.Fatal(err)
		}
		ops = append(ops, store.Op{Key: store.Key{GroupResource: kind.Pod.GroupResource(), Namespace: "default", Name: pod.Name}, Value: raw})
		if len(ops) == store.MaxOps || i == n-1 {
			if _, err := a.Store().Commit(context.Background(), ops...); err != nil {
				b.Fatal(err)
			}
			ops = nil
		}
	}
	return a
}

func BenchmarkList(b *testing.B) {
	a, ctx := filled(b, 10_000), context.Background()
	for _, bench := range []struct {
		name string
		o    metav1.ListOptions
	}{
		{"consistent", metav1.ListOptions{}},
		{"cached", metav1.ListOptions{ResourceVersion: "0"}},
		{"page of 500", metav1.ListOptions{ResourceVersion: "0", Limit: 500}},
		{"by label", metav1.ListOptions{ResourceVersion: "0", LabelSelector: "app=web"}},
		{"by field", metav1.ListOptions{ResourceVersion: "0", FieldSelector: "spec.nodeName=x"}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.List(ctx, pods(""), bench.o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	a, ctx := filled(b, 10_000), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		must(a.Get(ctx, pods("pod-000500"), metav1.GetOptions{ResourceVersion: "0"}))(b)
	}
}

// BenchmarkCreate makes pods side by side, as many clients do.
func BenchmarkCreate(b *testing.B) {
	a := newAPI(b)
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			pod := newPod("")
			pod.GenerateName = "bench-"
			if _, err := a.Create(context.Background(), pods(""), pod, metav1.CreateOptions{}); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkDryCreate is all of a create but etcd.
func BenchmarkDryCreate(b *testing.B) {
	a := newAPI(b)
	b.ReportAllocs()
	for b.Loop() {
		pod := newPod("")
		pod.GenerateName = "bench-"
		must(a.Create(context.Background(), pods(""), pod, metav1.CreateOptions{DryRun: []string{"All"}}))(b)
	}
}

func BenchmarkPatchStatus(b *testing.B) {
	a := newAPI(b)
	create(b, a, pods(""), newPod("p"))
	tg := pods("p")
	tg.Subresource = resource.Status
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := fmt.Appendf(nil, `{"status":{"message":"%d"}}`, i)
		if _, _, err := a.Patch(context.Background(), tg, types.StrategicMergePatchType, body, metav1.PatchOptions{DryRun: []string{"All"}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBind measures bindings in batches, persisted, as the scheduler makes them; one operation is one binding.
func BenchmarkBind(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		a := filled(b, n)
		changes := make([]resource.Change, n)
		for i := range changes {
			tg := pods(fmt.Sprintf("pod-%06d", i))
			tg.Subresource = resource.Binding
			changes[i] = resource.Change{Target: tg, Mutate: func(obj runtime.Object) error {
				obj.(*corev1.Pod).Spec.NodeName = "node-1"
				return nil
			}}
		}
		b.StartTimer()
		for _, err := range a.UpdateMany(context.Background(), changes) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "pods/s")
}
