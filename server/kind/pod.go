package kind

import corev1 "k8s.io/api/core/v1"

// Pod is a group of containers that run together on one node.
var Pod = &Kind{
	GroupVersionKind: core("Pod"),
	Resource:         "pods",
	Singular:         "pod",
	ShortNames:       []string{"po"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[corev1.Pod](),
	NewList:          makes[corev1.PodList](),

	PrepareCreate: changes(createPod),
	PrepareUpdate: updating(podParts),
	PrepareStatus: changesOver(reportPod),
	HasStatus:     true,
}

func podParts(p *corev1.Pod) (*corev1.PodSpec, *corev1.PodStatus) { return &p.Spec, &p.Status }

func createPod(pod *corev1.Pod) {
	pod.Generation = 1
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending}
}

// reportPod keeps the spec and the owners: an agent may not move a pod from one owner to another.
func reportPod(updated, old *corev1.Pod) {
	updated.Spec = old.Spec
	updated.OwnerReferences = old.OwnerReferences
	updated.Generation = old.Generation
}
