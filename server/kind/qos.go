package kind

import (
	"iter"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// QOSClass says how a pod fares when memory runs short: Guaranteed where every container's limits equal its
// requests, BestEffort where none asks for anything, else Burstable.
func QOSClass(spec *corev1.PodSpec) corev1.PodQOSClass {
	guaranteed, asked := true, false
	for r := range computeResources(spec) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			request, limit := r.Requests[name], r.Limits[name]
			asked = asked || !request.IsZero() || !limit.IsZero()
			guaranteed = guaranteed && !limit.IsZero() && (request.IsZero() || request.Cmp(limit) == 0)
		}
	}
	switch {
	case !asked:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	default:
		return corev1.PodQOSBurstable
	}
}

// computeResources yields the pod's own resources where it states them, else each container's.
func computeResources(spec *corev1.PodSpec) iter.Seq[corev1.ResourceRequirements] {
	return func(yield func(corev1.ResourceRequirements) bool) {
		if r := spec.Resources; r != nil && len(r.Requests)+len(r.Limits) > 0 {
			yield(*r)
			return
		}
		for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
			if !yield(c.Resources) {
				return
			}
		}
	}
}
