package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// BenchmarkUp starts a whole cluster on nothing and waits until its node is Ready; then its memory is read.
func BenchmarkUp(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		c, err := newCluster()
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		args := append([]string{"up", "--detach"}, append(c.server, c.agent...)...)
		if out, err := c.command(b.Context(), args...).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		b.StopTimer()
		b.ReportMetric(idleMegabytes(b, c), "MB-idle")
		if err := c.remove(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// settleTime is how long a cluster runs with nothing to do before its memory is read.
const settleTime = 30 * time.Second

// idleMegabytes is the resident memory of the cluster's one process, etcd included.
func idleMegabytes(b *testing.B, c *cluster) float64 {
	pid := strings.TrimSpace(readFile(b, filepath.Join(c.home, "run", "server.pid")))
	select {
	case <-time.After(settleTime):
	case <-b.Context().Done():
	}
	for line := range strings.Lines(readFile(b, "/proc/"+pid+"/status")) {
		if kilobytes, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(kilobytes)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(n) / 1024
		}
	}
	b.Fatalf("process %s has no VmRSS", pid)
	return 0
}

func readFile(b *testing.B, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

// podStarts is how many times each of two things is started, one after the other.
const podStarts = 15

// BenchmarkPodStart compares a pod, from its creation through the API until a watch shows it Running, with
// `docker run -d` of the same image on Docker's bridge.
func BenchmarkPodStart(b *testing.B) {
	c, err := newCluster()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.up(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.remove(); err != nil {
			b.Error(err)
		}
	}()
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	if err != nil {
		b.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	startPod(b, client, "warm-up") // the image is pulled once
	for b.Loop() {
		var docker, pods []time.Duration
		for i := range podStarts {
			docker = append(docker, dockerRun(b))
			pods = append(pods, startPod(b, client, fmt.Sprintf("pod-%d", i)))
		}
		b.ReportMetric(median(docker).Seconds()*1000, "ms-docker-run")
		b.ReportMetric(median(pods).Seconds()*1000, "ms-pod")
		b.ReportMetric(float64(median(pods))/float64(median(docker)), "pod/docker-run")
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// dockerRun starts a container as `docker run -d` does, through the command itself less its own start.
func dockerRun(b *testing.B) time.Duration {
	started := time.Now()
	out, err := exec.Command("docker", "run", "-d", "--label", "leme.test=bench", "registry.leme/hello:1.0").CombinedOutput()
	took := time.Since(started)
	if err != nil {
		b.Fatalf("docker run: %v\n%s", err, out)
	}
	id := strings.TrimSpace(string(out))
	if out, err := exec.Command("docker", "rm", "-f", id).CombinedOutput(); err != nil {
		b.Fatalf("docker rm: %v\n%s", err, out)
	}
	return took - clientStart(b)
}

// clientStart is what the docker command costs before it does anything.
func clientStart(b *testing.B) time.Duration {
	started := time.Now()
	if err := exec.Command("docker", "--version").Run(); err != nil {
		b.Fatal(err)
	}
	return time.Since(started)
}

func startPod(b *testing.B, client *kubernetes.Clientset, name string) time.Duration {
	pods := client.CoreV1().Pods("default")
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	w, err := pods.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Stop()
	started := time.Now()
	zero := int64(0)
	if _, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: &zero,
			Containers:                    []corev1.Container{{Name: "hello", Image: "registry.leme/hello:1.0"}},
		},
	}, metav1.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	for e := range w.ResultChan() {
		if pod, ok := e.Object.(*corev1.Pod); ok && pod.Status.Phase == corev1.PodRunning {
			took := time.Since(started)
			if err := pods.Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &zero}); err != nil {
				b.Fatal(err)
			}
			return took
		}
	}
	b.Fatalf("pod %s did not run", name)
	return 0
}

// BenchmarkOneShot compares `leme get pods` with kubectl's, whole processes, discovery cached.
func BenchmarkOneShot(b *testing.B) {
	c, err := newCluster()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.up(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.remove(); err != nil {
			b.Error(err)
		}
	}()
	run := func(command func(context.Context, ...string) *exec.Cmd) time.Duration {
		started := time.Now()
		if out, err := command(b.Context(), "get", "pods").CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		return time.Since(started)
	}
	run(c.command)
	run(c.kubectl)
	for b.Loop() {
		var ours, theirs []time.Duration
		for range podStarts {
			ours = append(ours, run(c.command))
			theirs = append(theirs, run(c.kubectl))
		}
		b.ReportMetric(median(ours).Seconds()*1000, "ms-leme")
		b.ReportMetric(median(theirs).Seconds()*1000, "ms-kubectl")
		b.ReportMetric(float64(median(ours))/float64(median(theirs)), "leme/kubectl")
	}
}
