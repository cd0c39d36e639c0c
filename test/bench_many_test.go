package test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
)

// many is how many pods are made at once.
const many = 50

// manyTurns is how often the cluster and the engine make them, one after the other.
const manyTurns = 10

// callers are the numbers of callers that are tried callerTurns times each, for the engine's best rate.
var callers = []int{2, 3, 4, 6, 8}

const callerTurns = 3

// BenchmarkPodsAtOnce compares many pods, from the first one's creation until a watch has shown all of them Running,
// with as many containers on the engine's own bridge, made and started through its API by the number of callers that
// is quickest.
func BenchmarkPodsAtOnce(b *testing.B) {
	onEach(b, func(b *testing.B, network string) {
		pods := kubernetes.NewForConfigOrDie(benchClient(b, benchCluster(b, "--pod-network", network))).CoreV1().Pods("default")
		engine, err := client.New(client.FromEnv)
		if err != nil {
			b.Fatal(err)
		}
		defer engine.Close()
		podsAtOnce(b, pods) // the image is pulled once
		best := bestCallers(b, engine)
		compareTurns(b, manyTurns,
			func() time.Duration { return podsAtOnce(b, pods) },
			func() time.Duration { return containersAtOnce(b, engine, best) })
	})
}

// bestCallers is the number of callers with which the engine is quickest.
func bestCallers(b *testing.B, engine *client.Client) (best int) {
	b.Helper()
	took := map[int][]time.Duration{}
	for range callerTurns {
		for _, n := range callers {
			took[n] = append(took[n], containersAtOnce(b, engine, n))
		}
	}
	best = callers[0]
	for _, n := range callers {
		b.Logf("%d callers: %v", n, middle(took[n]))
		if middle(took[n]) < middle(took[best]) {
			best = n
		}
	}
	return best
}

// podsAtOnce says how long the pods took; they are gone when it returns.
func podsAtOnce(b *testing.B, pods typed.PodInterface) time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	w, err := pods.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Stop()
	started := time.Now()
	makePods(ctx, b, pods, many)
	running := map[string]bool{}
	await(b, w, "to run, all of them", func(_ watch.Event, pod *corev1.Pod) bool {
		if pod.Status.Phase == corev1.PodRunning {
			running[pod.Name] = true
		}
		return len(running) == many
	})
	took := time.Since(started)
	if err := pods.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		b.Fatal(err)
	}
	await(b, w, "to go, all of them", func(e watch.Event, pod *corev1.Pod) bool {
		if e.Type == watch.Deleted {
			delete(running, pod.Name)
		}
		return len(running) == 0
	})
	return took
}

// makePods creates pods side by side.
func makePods(ctx context.Context, b *testing.B, pods typed.PodInterface, n int) {
	b.Helper()
	var group errgroup.Group
	for i := range n {
		group.Go(func() error {
			_, err := pods.Create(ctx, samplePod(fmt.Sprint("pod-", i)), metav1.CreateOptions{})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
}

// containersAtOnce says how long the engine took to make and start containers for so many callers.
func containersAtOnce(b *testing.B, engine *client.Client, callers int) time.Duration {
	b.Helper()
	ids := make([]string, many)
	each := func(n int, do func(i int) error) {
		var group errgroup.Group
		group.SetLimit(n)
		for i := range many {
			group.Go(func() error { return do(i) })
		}
		if err := group.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	started := time.Now()
	each(callers, func(i int) error {
		c, err := engine.ContainerCreate(b.Context(), client.ContainerCreateOptions{Config: &container.Config{Image: sampleImage}})
		if err != nil {
			return err
		}
		ids[i] = c.ID
		_, err = engine.ContainerStart(b.Context(), c.ID, client.ContainerStartOptions{})
		return err
	})
	took := time.Since(started)
	each(4, func(i int) error {
		_, err := engine.ContainerRemove(b.Context(), ids[i], client.ContainerRemoveOptions{Force: true})
		return err
	})
	return took
}
