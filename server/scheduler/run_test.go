package scheduler

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"golang.org/x/sync/errgroup"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/resource/resourcetest"
	"leme/server/store"
	"leme/server/store/storetest"
)

// BenchmarkRun schedules pods over 5,000 nodes with everything written to a real etcd.
func BenchmarkRun(b *testing.B) {
	api := resource.New(storetest.New(b), kind.All())
	ctx := b.Context()
	fill(b, api, 5_000, b.N)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	defer running.Wait()
	bound, done := 0, make(chan struct{})
	b.ResetTimer()
	running.Go(func() { _ = Run(ctx, api, nil, nil) })
	running.Go(func() {
		_ = api.Follow(ctx, kind.Pod, nil, func(e store.Event) {
			before, now := nodeOf(e.Prev), nodeOf(e.Item)
			if before == "" && now != "" {
				if bound++; bound == b.N {
					close(done)
				}
			}
		})
	})
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		b.Error("not all pods were bound")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pods/s")
	cancel()
}

func nodeOf(item *store.Item) string {
	if item == nil {
		return ""
	}
	o, err := item.Object()
	if err != nil {
		return ""
	}
	return o.(*corev1.Pod).Spec.NodeName
}

// fill makes nodes, and pods that wait for one.
func fill(b *testing.B, api *resource.API, nodes, pods int) {
	resourcetest.Namespace(b, api, "default", nil)
	all := resource.For[*corev1.Node](api, kind.Node, user)
	waiting := resource.For[*corev1.Pod](api, kind.Pod, user)
	g, ctx := errgroup.WithContext(b.Context())
	g.SetLimit(64)
	for _, name := range nodeNames(nodes) {
		g.Go(func() error {
			if _, err := all.Create(ctx, testNode(name)); err != nil {
				return err
			}
			_, err := all.UpdateStatus(ctx, "", name, func(n *corev1.Node) error {
				n.Status.Allocatable = testNode(name).Status.Allocatable
				return nil
			})
			return err
		})
	}
	for i := range pods {
		g.Go(func() error {
			_, err := waiting.Create(ctx, testPod(fmt.Sprint("pod-", i)))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
}
