package usage

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

	"leme/server/kind"
)

// Make tells what a node or a pod uses; it is a resource.Maker. ok is false as long as two measurements are not there.
func (c *Collector) Make(k *kind.Kind, about runtime.Object) (runtime.Object, bool) {
	switch of := about.(type) {
	case *corev1.Node:
		if m := nodeMetrics(of, c.memory.of(of.Name), c.now()); m != nil && k == kind.NodeMetrics {
			return m, true
		}
	case *corev1.Pod:
		if m := podMetrics(of, c.memory.of(of.Spec.NodeName), c.now()); m != nil && k == kind.PodMetrics {
			return m, true
		}
	}
	return nil, false
}

func nodeMetrics(node *corev1.Node, known *nodeMemory, now time.Time) *metricsv1beta1.NodeMetrics {
	if known == nil || !known.node.known() {
		return nil
	}
	return &metricsv1beta1.NodeMetrics{
		ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels, CreationTimestamp: metav1.NewTime(now)},
		Timestamp:  timestamp(known.node),
		Window:     metav1.Duration{Duration: known.node.window()},
		Usage:      known.node.usage(),
	}
}

// podMetrics is of all of a pod's running containers; while one of them is not known, neither is the pod. The time told
// is the earliest of theirs.
func podMetrics(pod *corev1.Pod, known *nodeMemory, now time.Time) *metricsv1beta1.PodMetrics {
	if known == nil {
		return nil
	}
	containers := known.pods[types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}]
	if len(containers) == 0 {
		return nil
	}
	m := &metricsv1beta1.PodMetrics{ObjectMeta: metav1.ObjectMeta{
		Namespace: pod.Namespace, Name: pod.Name, Labels: pod.Labels, CreationTimestamp: metav1.NewTime(now),
	}}
	earliest := containers[0].pair
	for _, c := range containers {
		if !c.known() || c.last.at < pod.CreationTimestamp.UnixNano() { // of a pod of this name before
			return nil
		}
		if c.last.at < earliest.last.at {
			earliest = c.pair
		}
		m.Containers = append(m.Containers, metricsv1beta1.ContainerMetrics{Name: c.name, Usage: c.usage()})
	}
	m.Timestamp, m.Window = timestamp(earliest), metav1.Duration{Duration: earliest.window()}
	return m
}

func timestamp(p pair) metav1.Time { return metav1.NewTime(time.Unix(0, p.last.at)) }
