package simulated

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

var (
	wholePods  = flag.Int("pods", 0, "pods of the benchmark of a whole cluster; 0 leaves it out, 150000 is the limit that the master is made for")
	wholeNodes = flag.Int("nodes", clusterSize, "nodes of that benchmark")
)

// BenchmarkScaleUp scales a Deployment from nothing to 5,000 pods on as many nodes, until all are ready in the API.
func BenchmarkScaleUp(b *testing.B) {
	const replicas = 5_000
	for b.Loop() {
		b.StopTimer()
		ctx, cancel := context.WithTimeout(b.Context(), 8*time.Minute)
		m, f, stop := startCluster(ctx, b, clusterSize)
		client := kubernetes.NewForConfigOrDie(m.config)
		makeDeployments(ctx, b, client, 1)
		b.StartTimer()
		began := time.Now()
		scaleTo(ctx, b, client, 0, replicas)
		awaitReady(ctx, b, m, f, replicas)
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms")
		b.ReportMetric(m.memory(b), "MB")
		b.StopTimer()
		stop()
		cancel()
		b.StartTimer()
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkWhole fills a cluster: 150,000 pods of 300 Deployments on 5,000 nodes. While it fills, somebody reads and writes
// as users do, one request after the other; the metric is the 99th percentile of what these took.
//
//	go test ./test/simulated -run '^$' -bench Whole -benchtime 1x -timeout 2h -pods 150000
func BenchmarkWhole(b *testing.B) {
	if *wholePods == 0 {
		b.Skip("it takes long: -pods 150000 runs it")
	}
	const each = 500
	for b.Loop() {
		ctx, cancel := context.WithCancel(b.Context())
		m, f, stop := startCluster(ctx, b, *wholeNodes)
		client := kubernetes.NewForConfigOrDie(m.config)
		makeDeployments(ctx, b, client, *wholePods/each)
		asking, enough := context.WithCancel(ctx)
		var user sync.WaitGroup
		var waits []time.Duration
		user.Go(func() { waits = use(asking, client) })
		began := time.Now()
		for i := range *wholePods / each {
			scaleTo(ctx, b, client, i, each)
		}
		awaitReady(ctx, b, m, f, *wholePods/each*each)
		took := time.Since(began)
		enough()
		user.Wait()
		slices.Sort(waits)
		b.ReportMetric(float64(*wholePods)/took.Seconds(), "pods/s")
		b.ReportMetric(float64(took.Milliseconds()), "filled-ms")
		b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "ms")
		b.ReportMetric(m.memory(b), "MB")
		stop()
		cancel()
	}
	b.ReportMetric(0, "ns/op")
}

// startCluster starts a master and agents.
func startCluster(ctx context.Context, b *testing.B, nodes int) (*master, *Fleet, func()) {
	b.Helper()
	m := startMaster(b)
	f, err := New(Config{REST: m.config, Nodes: nodes, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	running, cancel := context.WithCancel(ctx)
	var agents sync.WaitGroup
	agents.Go(func() { f.Run(running) })
	if err := f.Registered(ctx); err != nil {
		b.Fatalf("%v\n%s", err, m.end())
	}
	return m, f, func() { cancel(); agents.Wait() }
}

func deploymentName(i int) string { return fmt.Sprint("web-", i) }

func makeDeployments(ctx context.Context, b *testing.B, client kubernetes.Interface, n int) {
	b.Helper()
	for i := range n {
		d := deployment(deploymentName(i), 0, func(t *corev1.PodTemplateSpec) {
			t.Spec.Containers[0].Resources = plainPod(0).Spec.Containers[0].Resources
		})
		if _, err := client.AppsV1().Deployments("default").Create(ctx, d, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func scaleTo(ctx context.Context, b *testing.B, client kubernetes.Interface, i int, replicas int32) {
	b.Helper()
	name := deploymentName(i)
	if _, err := client.AppsV1().Deployments("default").UpdateScale(ctx, name, scale(name, replicas), metav1.UpdateOptions{}); err != nil {
		b.Fatal(err)
	}
}

func awaitReady(ctx context.Context, b *testing.B, m *master, f *Fleet, pods int) {
	b.Helper()
	if err := f.Await(ctx, func(c Counts) bool { return c.Ready == pods }); err != nil {
		b.Fatalf("%v\n%s", err, m.end())
	}
}

// use asks for single objects and changes one, until the context ends, and says how long each request took.
func use(ctx context.Context, client kubernetes.Interface) (waits []time.Duration) {
	maps := client.CoreV1().ConfigMaps("default")
	_, _ = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "used"}}, metav1.CreateOptions{})
	for i := 0; ctx.Err() == nil; i++ {
		began := time.Now()
		_, err := maps.Get(ctx, "used", metav1.GetOptions{})
		if i%2 == 1 {
			_, err = maps.Update(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "used"}, Data: map[string]string{"i": fmt.Sprint(i)}}, metav1.UpdateOptions{})
		}
		if err == nil {
			waits = append(waits, time.Since(began))
		}
	}
	return waits
}
