package simulated

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"golang.org/x/sync/errgroup"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
	"leme/server/scheduler"
	"leme/server/store"
	"leme/server/store/storetest"
)

// clusterSize is how many nodes the benchmarks have: Kubernetes' own limit.
const clusterSize = 5_000

// BenchmarkSchedule takes pods that wait, on 5,000 nodes, from the scheduler's start until each of their bindings is in
// etcd, synced to disk. The metric is per thousand pods.
func BenchmarkSchedule(b *testing.B) {
	for name, c := range map[string]struct {
		pods int
		make func(i int) *corev1.Pod
	}{
		"plain":    {10_000, plainPod},
		"together": {2_000, choosyPod},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				took, used := schedule(b, c.pods, c.make)
				b.ReportMetric(took.Seconds()*1e6/float64(c.pods), "ms")
				b.ReportMetric(used.Seconds()*1e6/float64(c.pods), "cpu-ms")
				b.ReportMetric(float64(c.pods)/took.Seconds(), "pods/s")
				b.StartTimer()
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// schedule returns how long the scheduler took, and what of the processor's time everything in the process used meanwhile.
func schedule(b *testing.B, pods int, pod func(int) *corev1.Pod) (took, used time.Duration) {
	s, stop := storetest.Start(b, store.Config{DataDir: b.TempDir(), Decode: decode()})
	defer stop()
	api := resource.New(s, kind.All())
	resourcetest.Namespace(b, api, "default", nil)
	config := Config{REST: nil, Nodes: clusterSize, Prefix: "node-", Zones: 3, Capacity: capacity()}
	createAll(b, api, kind.Node, clusterSize, func(i int) *corev1.Node { return config.object(i, time.Now()) })
	createAll(b, api, kind.Pod, pods, pod)

	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	began, cpu := time.Now(), processorTime(b)
	running.Go(func() {
		if err := scheduler.Run(ctx, api, nil, nil); err != nil {
			b.Error(err)
		}
	})
	awaitBound(ctx, b, api, pods)
	return time.Since(began), processorTime(b) - cpu
}

// awaitBound counts the pods that are on nodes.
func awaitBound(ctx context.Context, b *testing.B, api *resource.API, pods int) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	bound := map[string]bool{}
	err := api.Follow(ctx, kind.Pod, nil, func(e store.Event) {
		o, err := e.Item.Object()
		if err != nil {
			b.Error(err)
			return
		}
		if p := o.(*corev1.Pod); p.Spec.NodeName != "" {
			bound[p.Name] = true
		}
		if len(bound) == pods {
			cancel()
		}
	})
	if err != nil || len(bound) < pods {
		b.Fatalf("%d of %d pods are bound: %v", len(bound), pods, err)
	}
}

func createAll[T runtime.Object](b *testing.B, api *resource.API, k *kind.Kind, n int, object func(int) T) {
	all := resource.For[T](api, k, "bench")
	var g errgroup.Group
	g.SetLimit(256) // so that many share a sync of etcd's
	for i := range n {
		g.Go(func() error {
			_, err := all.Create(b.Context(), object(i))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}

// decode is how the server reads what is stored.
func decode() store.Decode {
	kinds := kind.All()
	return func(gr schema.GroupResource, raw []byte) (runtime.Object, error) {
		obj := kinds.ByResource(gr).New()
		return obj, kjson.UnmarshalCaseSensitivePreserveInts(raw, obj)
	}
}

func plainPod(i int) *corev1.Pod {
	requests := corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse("100m"), corev1.ResourceMemory: apiresource.MustParse("128Mi")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "pod-" + strconv.Itoa(i), Labels: map[string]string{"app": fmt.Sprint("app-", i%50)}},
		Spec: corev1.PodSpec{
			SchedulerName: corev1.DefaultSchedulerName,
			Containers:    []corev1.Container{{Name: "main", Image: "web:1", Resources: corev1.ResourceRequirements{Requests: requests}}},
		},
	}
}

// choosyPod is one of fifty workloads: no two pods of one run on a node, and they are spread over zones evenly.
func choosyPod(i int) *corev1.Pod {
	p := plainPod(i)
	own := &metav1.LabelSelector{MatchLabels: p.Labels}
	p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{TopologyKey: corev1.LabelHostname, LabelSelector: own}},
	}}
	p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{
		{MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: own},
		{MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: own},
	}
	return p
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
