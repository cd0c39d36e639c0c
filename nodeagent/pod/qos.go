package pod

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// qosClass is BestEffort when nothing is asked for, Guaranteed when every container has limits of cpu and memory and
// asks for just these, else Burstable.
func qosClass(pod *corev1.Pod) corev1.PodQOSClass {
	if pod.Status.QOSClass != "" {
		return pod.Status.QOSClass
	}
	guaranteed, any := true, false
	for _, c := range allContainers(pod) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			limit, request := c.Resources.Limits[name], c.Resources.Requests[name]
			any = any || !limit.IsZero() || !request.IsZero()
			guaranteed = guaranteed && !limit.IsZero() && (request.IsZero() || request.Cmp(limit) == 0)
		}
	}
	switch {
	case !any:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	}
	return corev1.PodQOSBurstable
}

// oomScoreAdj makes the kernel kill those first who asked for least, and those last without whom the node is none (the
// kubelet's formula). A sidecar outlives the containers that it serves.
func oomScoreAdj(pod *corev1.Pod, c *corev1.Container, memory resource.Quantity) int {
	class := qosClass(pod)
	switch {
	case pod.Spec.PriorityClassName == nodeCritical || class == corev1.PodQOSGuaranteed:
		return -997
	case class == corev1.PodQOSBestEffort:
		return 1000
	case memory.Value() <= 0:
		return 999
	}
	spare := spareMemory(pod)
	request := memoryRequest(c) + spare
	if isSidecar(c) && isInit(pod, c) {
		least := memoryRequest(&pod.Spec.Containers[0])
		for i := range pod.Spec.Containers {
			least = min(least, memoryRequest(&pod.Spec.Containers[i]))
		}
		request = max(request, least+spare)
	}
	return int(min(max(1000-1000*request/memory.Value(), 3), 999))
}

// nodeCritical is the priority class of pods that the kernel is to kill last.
const nodeCritical = "system-node-critical"

// spareMemory is what each container has of the memory that the pod asks for beyond what its containers do.
func spareMemory(pod *corev1.Pod) int64 {
	if pod.Spec.Resources == nil {
		return 0
	}
	asked := resourcehelper.AggregateContainerRequests(pod, resourcehelper.PodResourcesOptions{})
	spare := pod.Spec.Resources.Requests.Memory().Value() - asked.Memory().Value()
	return max(spare, 0) / int64(len(pod.Spec.Containers)+len(pod.Spec.InitContainers))
}

func memoryRequest(c *corev1.Container) int64 { return c.Resources.Requests.Memory().Value() }

func isInit(pod *corev1.Pod, c *corev1.Container) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(i corev1.Container) bool { return i.Name == c.Name })
}
