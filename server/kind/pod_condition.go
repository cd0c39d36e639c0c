package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SetPodCondition gives a pod a condition in the place of the one of its type, seen at the pod's generation. The time of
// transition stays while the condition's status does; without one it is now.
func SetPodCondition(pod *corev1.Pod, c corev1.PodCondition) {
	c.ObservedGeneration = pod.Generation
	if c.LastTransitionTime.IsZero() {
		c.LastTransitionTime = metav1.Now().Rfc3339Copy()
	}
	for i := range pod.Status.Conditions {
		old := &pod.Status.Conditions[i]
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		*old = c
		return
	}
	pod.Status.Conditions = append(pod.Status.Conditions, c)
}
