package test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"leme/completion"
	"leme/completion/source"
)

// BenchmarkOneShot compares `leme get pods` with kubectl's, whole processes, discovery cached.
func BenchmarkOneShot(b *testing.B) {
	c := benchCluster(b)
	ours := func() time.Duration { return timed(b, c.command, "get", "pods") }
	theirs := func() time.Duration { return timed(b, c.kubectl, "get", "pods") }
	ours()
	theirs()
	compare(b, ours, theirs)
}

// BenchmarkComplete compares what a Tab in the user's own shell runs, in a namespace with 10,000 pods.
func BenchmarkComplete(b *testing.B) {
	c := crowded(b)
	compare(b,
		func() time.Duration { return timed(b, c.command, "__complete", "get", "po", "x") },
		func() time.Duration { return timed(b, c.kubectl, "__complete", "get", "po", "x") })
}

// BenchmarkEngine presses keys in a session's completion, which follows 10,000 pods.
func BenchmarkEngine(b *testing.B) {
	c := crowded(b)
	sources := source.New(b.Context(), source.Config{Follow: true, ClientConfig: func(_, name string) clientcmd.ClientConfig {
		return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
			&clientcmd.ClientConfigLoadingRules{ExplicitPath: c.kubeconfig()}, &clientcmd.ConfigOverrides{CurrentContext: name})
	}})
	engine := completion.New(completion.Commands(), sources)
	press := func(word string) int {
		return len(engine.Complete(completion.Request{Words: []string{"get", "pods"}, Word: word}))
	}
	last := fmt.Sprintf(crowdName, crowd-1)
	for changed := sources.Changed(); press(last) == 0; changed = sources.Changed() {
		select {
		case <-changed:
		case <-time.After(patience):
			b.Fatal("the session's completion does not know the pods")
		}
	}
	for b.Loop() {
		var all []time.Duration
		const every = 10 // of all names: they are much alike
		for i := range crowd / every {
			word := fmt.Sprintf(crowdName, i*every)
			for typed := range len(word) + 1 {
				started := time.Now()
				press(word[:typed])
				all = append(all, time.Since(started))
			}
		}
		b.ReportMetric(milliseconds(percentile(all, 99)), "ms")
	}
	b.ReportMetric(0, "ns/op")
}

// crowd is how many pods there are in a crowded namespace, and crowdName how they are called.
const (
	crowd     = 10_000
	crowdName = "x-%04d"
)

// crowded is a cluster with many pods that no scheduler places.
func crowded(b *testing.B) *cluster {
	c := benchCluster(b)
	config := benchClient(b, c)
	config.QPS = -1 // as fast as the server takes them
	pods := kubernetes.NewForConfigOrDie(config).CoreV1().Pods("default")
	group, ctx := errgroup.WithContext(b.Context())
	const atOnce = 32
	group.SetLimit(atOnce)
	for i := range crowd {
		group.Go(func() error {
			pod := samplePod(fmt.Sprintf(crowdName, i))
			pod.Spec.SchedulerName = "nobody"
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			_, err := pods.Create(ctx, pod, metav1.CreateOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	return c
}
