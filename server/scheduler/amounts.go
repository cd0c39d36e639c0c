package scheduler

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/component-helpers/resource"
)

// amounts is a resource list in integers: CPU in thousandths, all else in units or bytes.
type amounts struct {
	milliCPU, memory, ephemeral int64
	scalar                      map[corev1.ResourceName]int64 // extended resources and huge pages; nil when none
}

func amountsOf(list corev1.ResourceList) amounts {
	var a amounts
	for name, quantity := range list {
		switch name {
		case corev1.ResourceCPU:
			a.milliCPU = quantity.MilliValue()
		case corev1.ResourceMemory:
			a.memory = quantity.Value()
		case corev1.ResourceEphemeralStorage:
			a.ephemeral = quantity.Value()
		case corev1.ResourcePods: // counted, not summed
		default:
			if a.scalar == nil {
				a.scalar = make(map[corev1.ResourceName]int64)
			}
			a.scalar[name] = quantity.Value()
		}
	}
	return a
}

// of is the amount of one resource.
func (a *amounts) of(name corev1.ResourceName) int64 {
	switch name {
	case corev1.ResourceCPU:
		return a.milliCPU
	case corev1.ResourceMemory:
		return a.memory
	case corev1.ResourceEphemeralStorage:
		return a.ephemeral
	}
	return a.scalar[name]
}

// add adds times of b, which may be negative.
func (a *amounts) add(b *amounts, times int64) {
	a.milliCPU += times * b.milliCPU
	a.memory += times * b.memory
	a.ephemeral += times * b.ephemeral
	if len(b.scalar) > 0 && a.scalar == nil {
		a.scalar = make(map[corev1.ResourceName]int64, len(b.scalar))
	}
	for name, n := range b.scalar {
		a.scalar[name] += times * n
	}
}

// anyMoreThan tells whether there is more of anything than in b.
func (a *amounts) anyMoreThan(b *amounts) bool {
	for name, n := range a.scalar {
		if n > b.scalar[name] {
			return true
		}
	}
	return a.milliCPU > b.milliCPU || a.memory > b.memory || a.ephemeral > b.ephemeral
}

func (a amounts) equal(b amounts) bool {
	return a.milliCPU == b.milliCPU && a.memory == b.memory && a.ephemeral == b.ephemeral && maps.Equal(a.scalar, b.scalar)
}

// What a container that asks for nothing is taken to use when nodes are compared, so that many of them do not
// all count as nothing. The same as in kube-scheduler.
const (
	assumedMilliCPU = 100
	assumedMemory   = 200 << 20
)

// requests is what a pod asks of a node: the sum of its containers and sidecars, or its largest init container
// where that is more, plus its overhead.
func requests(pod *corev1.Pod) (exact, assumed amounts) {
	options := resource.PodResourcesOptions{UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true}
	exact = amountsOf(resource.PodRequests(pod, options))
	if everyContainerAsks(pod) {
		return exact, exact
	}
	options.NonMissingContainerRequests = corev1.ResourceList{
		corev1.ResourceCPU:    *apiresource.NewMilliQuantity(assumedMilliCPU, apiresource.DecimalSI),
		corev1.ResourceMemory: *apiresource.NewQuantity(assumedMemory, apiresource.BinarySI),
	}
	return exact, amountsOf(resource.PodRequests(pod, options))
}

func everyContainerAsks(pod *corev1.Pod) bool {
	for i := range pod.Spec.Containers {
		r := pod.Spec.Containers[i].Resources.Requests
		if _, cpu := r[corev1.ResourceCPU]; !cpu {
			return false
		}
		if _, memory := r[corev1.ResourceMemory]; !memory {
			return false
		}
	}
	return len(pod.Spec.InitContainers) == 0
}
