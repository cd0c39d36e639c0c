package pod

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Share is what the engine holds a container to.
type Share struct {
	Weight int64 // of its processor time against others': 1024 for a whole processor
	Quota  int64 // µs of processor time in each CPUPeriod; 0: no limit
	Memory int64 // bytes, with no swap beside them; 0: no limit
}

// The scheduler period and the least quota and weight that the kernel takes, as the kubelet has them.
const (
	CPUPeriod   = 100_000 // µs
	minCPUQuota = 1_000   // µs
	minWeight   = 2
	maxWeight   = 262_144
)

// ShareOf turns requests and limits into what the engine enforces: the cpu request as weight, the cpu limit as quota.
func ShareOf(r corev1.ResourceRequirements) Share {
	request, requested := r.Requests[corev1.ResourceCPU]
	limit, limited := r.Limits[corev1.ResourceCPU]
	if !requested {
		request = limit
	}
	memory := r.Limits[corev1.ResourceMemory]
	s := Share{Weight: min(max(request.MilliValue()*1024/1000, minWeight), maxWeight), Memory: max(memory.Value(), 0)}
	if limited && limit.MilliValue() > 0 {
		s.Quota = max(limit.MilliValue()*CPUPeriod/1000, minCPUQuota)
	}
	return s
}

// actual is what a container was given, with what the engine really holds it to.
func (s Share) actual(given corev1.ResourceRequirements) corev1.ResourceRequirements {
	r, wanted := *given.DeepCopy(), ShareOf(given)
	set := func(list *corev1.ResourceList, name corev1.ResourceName, amount *resource.Quantity) {
		if *list == nil {
			*list = corev1.ResourceList{}
		}
		(*list)[name] = *amount
	}
	if s.Weight != wanted.Weight && s.Weight > minWeight {
		set(&r.Requests, corev1.ResourceCPU, resource.NewMilliQuantity((s.Weight*1000+1023)/1024, resource.DecimalSI))
	}
	if s.Quota != wanted.Quota && s.Quota > 0 {
		set(&r.Limits, corev1.ResourceCPU, resource.NewMilliQuantity(s.Quota*1000/CPUPeriod, resource.DecimalSI))
	}
	if s.Memory != wanted.Memory && s.Memory > 0 {
		set(&r.Limits, corev1.ResourceMemory, resource.NewQuantity(s.Memory, resource.BinarySI))
	}
	return r
}
