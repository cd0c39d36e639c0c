package nodeagent

import (
	"fmt"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/docker/dockertest"
)

// BenchmarkStart is from a pod's creation to its status Running; BenchmarkEngine what one container takes the engine
// alone, on its default network.
func BenchmarkStart(b *testing.B) {
	bed := newBed(b)
	bed.register()
	started, err := bed.client.CoreV1().Pods("default").Watch(b.Context(), metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer started.Stop()
	for i := 0; b.Loop(); i++ {
		p := bed.node.Pod(fmt.Sprintf("p%d", i))
		p.Spec.RestartPolicy = corev1.RestartPolicyAlways
		bed.create(p)
		for e := range started.ResultChan() {
			if now := e.Object.(*corev1.Pod); now.UID == p.UID && now.Status.Phase == corev1.PodRunning {
				break
			}
		}
		b.StopTimer()
		bed.remove(p.Name)
		b.StartTimer()
	}
}

func BenchmarkEngine(b *testing.B) {
	n := dockertest.New(b)
	for b.Loop() {
		c, err := n.Engine.ContainerCreate(b.Context(), client.ContainerCreateOptions{
			Config: &container.Config{Image: n.Image.ID, Labels: dockertest.Labels()}})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := n.Engine.ContainerStart(b.Context(), c.ID, client.ContainerStartOptions{}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := n.Remove(b.Context(), c.ID); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
