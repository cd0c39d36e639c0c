package test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const sampleImage = "registry.leme/hello:1.0"

// podNetworks are the settings that the rows about pods are measured with.
var podNetworks = []string{"bridge", "netns"}

// onEach runs a benchmark with each kind of pod network.
func onEach(b *testing.B, bench func(b *testing.B, network string)) {
	for _, kind := range podNetworks {
		b.Run(kind, func(b *testing.B) { bench(b, kind) })
	}
}

// BenchmarkPodStart compares a pod, from its creation through the API until a watch shows it Running, with one
// `docker run -d` of the same image on the engine's own bridge. Each is gone before the next begins.
func BenchmarkPodStart(b *testing.B) {
	onEach(b, func(b *testing.B, network string) { comparePod(b, network, 1) })
}

// BenchmarkPodOfThree compares a pod of three containers with one `docker run -d`.
func BenchmarkPodOfThree(b *testing.B) {
	onEach(b, func(b *testing.B, network string) { comparePod(b, network, 3) })
}

func comparePod(b *testing.B, network string, containers int) {
	start := podStarter(b, "--pod-network", network)
	pod := samplePod("")
	for i := 1; i < containers; i++ {
		c := pod.Spec.Containers[0]
		c.Name, c.Args = fmt.Sprint("hello-", i), []string{fmt.Sprintf("--port=%d", 8080+i)}
		pod.Spec.Containers = append(pod.Spec.Containers, c)
	}
	start(pod) // the image is pulled once
	compare(b, func() time.Duration { return start(pod) }, func() time.Duration { return dockerRun(b) })
}

// BenchmarkPodToken compares a pod that gets the token of its service account with one that does not.
func BenchmarkPodToken(b *testing.B) {
	start := podStarter(b)
	bare := samplePod("")
	bare.Spec.AutomountServiceAccountToken = new(bool)
	start(bare)
	compare(b, func() time.Duration { return start(samplePod("")) }, func() time.Duration { return start(bare) })
}

// podStarter starts one pod after the other in a cluster of the benchmark's own, and says how long each took.
func podStarter(b *testing.B, agentFlags ...string) func(*corev1.Pod) time.Duration {
	config := benchClient(b, benchCluster(b, agentFlags...))
	pods := kubernetes.NewForConfigOrDie(config).CoreV1().Pods("default")
	n := 0
	return func(pod *corev1.Pod) time.Duration {
		ctx, cancel := context.WithTimeout(b.Context(), patience)
		defer cancel()
		n++
		name := fmt.Sprintf("pod-%d", n)
		w, err := pods.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
		if err != nil {
			b.Fatal(err)
		}
		defer w.Stop()
		pod = pod.DeepCopy()
		pod.Name = name
		started := time.Now()
		if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
		await(b, w, "to run", func(_ watch.Event, pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning })
		took := time.Since(started)
		if err := pods.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			b.Fatal(err)
		}
		await(b, w, "to go", func(e watch.Event, _ *corev1.Pod) bool { return e.Type == watch.Deleted })
		return took
	}
}

func samplePod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "hello", Image: sampleImage}}},
	}
}

// await reads a watch of one pod until what it shows is right.
func await(b *testing.B, w watch.Interface, what string, right func(watch.Event, *corev1.Pod) bool) {
	b.Helper()
	for e := range w.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && right(e, pod) {
			return
		}
	}
	b.Fatalf("the watch ended before the pod came %s", what)
}

func benchClient(b *testing.B, c *cluster) *rest.Config {
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	if err != nil {
		b.Fatal(err)
	}
	config.QPS = -1 // the client holds nothing back
	return config
}

// dockerRun starts a container as `docker run -d` does, through the command itself less its own start.
func dockerRun(b *testing.B) time.Duration {
	started := time.Now()
	out, err := exec.CommandContext(b.Context(), "docker", "run", "-d", sampleImage).Output()
	took := time.Since(started)
	if err != nil {
		b.Fatalf("docker run: %v", err)
	}
	docker := func(ctx context.Context, args ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "docker", args...)
	}
	timed(b, docker, "rm", "-f", strings.TrimSpace(string(out)))
	return took - timed(b, docker, "--version")
}
