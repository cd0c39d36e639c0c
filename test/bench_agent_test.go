package test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// BenchmarkAgent reads what an agent uses that has many running pods and nothing to do, in a process of its own, and
// how much memory a pod's sandbox has of its own.
func BenchmarkAgent(b *testing.B) {
	onEach(b, func(b *testing.B, network string) {
		c := benchClusterDown(b, "--pod-network", network)
		_, agent := c.upApart(b)
		c.must(b, "image", "push", c.bin+"/hello.tar", "hello:1.0")
		runMany(b, c)
		pid := fmt.Sprint(agent.cmd.Process.Pid)
		for b.Loop() {
			settle(b)
			before := cpuTime(b, pid)
			settle(b)
			b.ReportMetric(100*(cpuTime(b, pid)-before).Seconds()/settleTime.Seconds(), "%-cpu")
			b.ReportMetric(residentMegabytes(b, pid), "MB")
			b.ReportMetric(megabytes(b, pid, "RssAnon:"), "own-MB")
			b.ReportMetric(sandboxMegabytes(b, c), "MB/pod")
		}
		b.ReportMetric(0, "ns/op")
	})
}

// runMany makes many pods and waits until they run.
func runMany(b *testing.B, c *cluster) {
	b.Helper()
	pods := kubernetes.NewForConfigOrDie(benchClient(b, c)).CoreV1().Pods("default")
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	w, err := pods.Watch(ctx, metav1.ListOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Stop()
	makePods(ctx, b, pods, many)
	running := map[string]bool{}
	await(b, w, "to run, all of them", func(_ watch.Event, pod *corev1.Pod) bool {
		if pod.Status.Phase == corev1.PodRunning {
			running[pod.Name] = true
		}
		return len(running) == many
	})
}

// sandboxMegabytes is the mean of what the sandboxes' processes have of memory, shared pages in parts (proc(5), Pss).
func sandboxMegabytes(b *testing.B, c *cluster) float64 {
	b.Helper()
	ids := strings.Fields(docker(b, "ps", "-q", "--filter", "label=leme.node="+c.node, "--filter", "label=leme.sandbox=true"))
	total := 0.0
	for _, pid := range strings.Fields(docker(b, append([]string{"inspect", "--format", "{{.State.Pid}}"}, ids...)...)) {
		for line := range strings.Lines(readFile(b, "/proc/"+pid+"/smaps_rollup")) {
			if kilobytes, ok := strings.CutPrefix(line, "Pss:"); ok {
				total += number(b, strings.Fields(kilobytes)[0]) / 1024
			}
		}
	}
	return total / float64(len(ids))
}
