package docker

import (
	"github.com/moby/moby/api/types/container"
	corev1 "k8s.io/api/core/v1"
)

// The scheduler period and the least quota and shares that the kernel takes, as the kubelet has them.
const (
	cpuPeriod   = 100_000 // µs
	minCPUQuota = 1_000   // µs
	minShares   = 2
	maxShares   = 262_144
)

// resources turns requests and limits into what the engine enforces: the cpu request as weight, the cpu limit as
// quota, the memory limit with no swap beside it.
func resources(r corev1.ResourceRequirements) container.Resources {
	request, requested := r.Requests[corev1.ResourceCPU]
	limit, limited := r.Limits[corev1.ResourceCPU]
	if !requested {
		request = limit
	}
	out := container.Resources{CPUShares: cpuShares(request.MilliValue())}
	if limited && limit.MilliValue() > 0 {
		out.CPUPeriod = cpuPeriod
		out.CPUQuota = max(limit.MilliValue()*cpuPeriod/1000, minCPUQuota)
	}
	memory := r.Limits[corev1.ResourceMemory]
	if bytes := memory.Value(); bytes > 0 {
		out.Memory, out.MemorySwap = bytes, bytes
	}
	return out
}

// cpuShares is the weight of a request: 1024 for a whole processor.
func cpuShares(milli int64) int64 {
	return min(max(milli*1024/1000, minShares), maxShares)
}
