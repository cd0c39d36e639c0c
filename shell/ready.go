package shell

import (
	corev1 "k8s.io/api/core/v1"
)

func nodeReady(n *corev1.Node) bool {
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// podFine reports whether a pod is ready, or need not be: it has done its work, or is on its way out.
func podFine(p *corev1.Pod) bool {
	if p.Status.Phase == corev1.PodSucceeded || p.DeletionTimestamp != nil {
		return true
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
