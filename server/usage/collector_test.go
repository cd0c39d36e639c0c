package usage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"leme/server/kind"
)

// agents are nodes that use a quarter of a processor each, with one pod that uses half of that.
type agents struct {
	asked, inside, most atomic.Int64
	silent              func(node string) bool
	wait                time.Duration
}

func (a *agents) AskAgent(ctx context.Context, node, path string) (io.ReadCloser, error) {
	a.asked.Add(1)
	a.most.Store(max(a.most.Load(), a.inside.Add(1)))
	defer a.inside.Add(-1)
	if a.silent != nil && a.silent(node) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	select {
	case <-time.After(a.wait):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if path != "/metrics/resource" {
		return nil, errors.New("asked for " + path)
	}
	now := time.Now()
	return io.NopCloser(strings.NewReader(fmt.Sprintf(`
node_cpu_usage_seconds_total %[2]f %[1]d
node_memory_working_set_bytes 1e+09 %[1]d
container_cpu_usage_seconds_total{container="app",namespace="default",pod="on-%[4]s"} %[3]f %[1]d
container_memory_working_set_bytes{container="app",namespace="default",pod="on-%[4]s"} 1e+06 %[1]d
container_start_time_seconds{container="app",namespace="default",pod="on-%[4]s"} 1
`, now.UnixMilli(), float64(now.Unix())/4, float64(now.Unix())/8, node))), nil
}

func node(name string, ready corev1.ConditionStatus) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}}}
}

func podOn(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "on-" + name, Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{NodeName: name}}
}

func TestCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &agents{wait: time.Second}
		nodes := []*corev1.Node{node("one", corev1.ConditionTrue)}
		c := New(0, nil)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, func() []*corev1.Node { return nodes }, a) }()
		<-time.After(1500 * time.Millisecond) // of the bubble: the agent has answered once
		if _, ok := c.Make(kind.NodeMetrics, nodes[0]); ok {
			t.Error("one measurement says how much is used")
		}
		<-time.After(2 * time.Second)
		if _, ok := c.Make(kind.NodeMetrics, nodes[0]); !ok {
			t.Error("what two measurements say is not told at once")
		}
		<-time.After(2 * DefaultResolution)
		made, ok := c.Make(kind.NodeMetrics, nodes[0])
		if !ok {
			t.Fatal("nothing is known of the node")
		}
		n := made.(*metricsv1beta1.NodeMetrics)
		if n.Usage.Cpu().String() != "250m" || n.Window.Duration != DefaultResolution || n.Labels["kubernetes.io/hostname"] != "one" {
			t.Errorf("the node: %+v", n)
		}
		made, ok = c.Make(kind.PodMetrics, podOn("one"))
		if !ok {
			t.Fatal("nothing is known of the pod")
		}
		p := made.(*metricsv1beta1.PodMetrics)
		if len(p.Containers) != 1 || p.Containers[0].Name != "app" || p.Containers[0].Usage.Cpu().String() != "125m" || p.Labels["app"] != "web" {
			t.Errorf("the pod: %+v", p)
		}
		if _, ok := c.Make(kind.PodMetrics, podOn("elsewhere")); ok {
			t.Error("a pod of an unknown node has been measured")
		}
		a.silent = func(string) bool { return true }
		<-time.After(time.Minute)
		if _, ok := c.Make(kind.NodeMetrics, nodes[0]); ok {
			t.Error("what a silent node used long ago is still told")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Agents that do not answer keep nobody from those that do, and only so many are asked at once.
func TestSilentAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &agents{wait: 100 * time.Millisecond, silent: func(node string) bool { return strings.HasPrefix(node, "silent") }}
		var nodes []*corev1.Node
		for i := range 300 {
			nodes = append(nodes, node(fmt.Sprintf("silent-%d", i), corev1.ConditionUnknown), node(fmt.Sprintf("good-%d", i), corev1.ConditionTrue))
		}
		c := New(0, nil)
		for range 2 {
			start := time.Now()
			c.round(t.Context(), nodes, a)
			<-time.After(DefaultResolution - time.Since(start))
		}
		if n, containers := c.memory.size(); n != 300 || containers != 300 {
			t.Errorf("%d nodes and %d containers are known", n, containers)
		}
		if a.most.Load() > parallel {
			t.Errorf("%d agents were asked at once", a.most.Load())
		}
		c.round(t.Context(), nodes[:1], a)
		if n, _ := c.memory.size(); n != 0 {
			t.Errorf("%d nodes that are gone are known", n)
		}
	})
}

// A node that comes between two rounds is known soon; one that does not answer is not asked all the time.
func TestNewcomers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &agents{wait: 100 * time.Millisecond, silent: func(node string) bool { return node == "silent" }}
		var nodes atomic.Pointer[[]*corev1.Node]
		nodes.Store(new([]*corev1.Node))
		c := New(0, nil)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx, func() []*corev1.Node { return *nodes.Load() }, a) }()
		<-time.After(time.Second)
		late := node("late", corev1.ConditionTrue)
		nodes.Store(&[]*corev1.Node{late, node("silent", corev1.ConditionTrue), node("starting", corev1.ConditionFalse)})
		<-time.After(6 * time.Second)
		if _, ok := c.Make(kind.NodeMetrics, late); !ok {
			t.Error("nothing is known of a node that has been ready for six seconds")
		}
		<-time.After(6 * time.Second)
		if n := a.asked.Load(); n != 2+enough {
			t.Errorf("before the second round agents were asked %d times", n)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
