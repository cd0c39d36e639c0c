package quota

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

const (
	requestsPrefix = corev1.DefaultResourceRequestsPrefix
	limitsPrefix   = "limits."
)

// computed are the resources that pods ask for which quotas limit by request and by limit.
var computed = []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}

// ofPods tells whether a name in a quota is about what pods ask for.
func ofPods(name corev1.ResourceName) bool {
	plain := corev1.ResourceName(strings.TrimPrefix(string(name), requestsPrefix))
	limited, isLimit := strings.CutPrefix(string(name), limitsPrefix)
	switch {
	case name == corev1.ResourcePods, slices.Contains(computed, plain):
		return true
	case isLimit:
		return slices.Contains(computed, corev1.ResourceName(limited))
	case strings.HasPrefix(string(plain), corev1.ResourceHugePagesPrefix):
		return true
	}
	return plain != name && extended(plain)
}

// extended tells the resources that are not Kubernetes' own: devices.
func extended(name corev1.ResourceName) bool {
	return strings.Contains(string(name), "/") && !strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix)
}

// podUsage is what a pod takes while it runs. One that has ended, or should have, takes nothing.
func podUsage(pod *corev1.Pod, now time.Time) corev1.ResourceList {
	if over(pod, now) {
		return nil
	}
	var o resourcehelper.PodResourcesOptions
	used := computeUsage(resourcehelper.PodRequests(pod, o), resourcehelper.PodLimits(pod, o))
	used[corev1.ResourcePods] = one()
	return used
}

func over(pod *corev1.Pod, now time.Time) bool {
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		return true
	}
	if pod.DeletionTimestamp == nil || pod.DeletionGracePeriodSeconds == nil {
		return false
	}
	return now.After(pod.DeletionTimestamp.Add(time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second))
}

// computeUsage gives requests and limits the names that quotas have for them.
func computeUsage(requests, limits corev1.ResourceList) corev1.ResourceList {
	used := corev1.ResourceList{}
	for name, quantity := range requests {
		native := slices.Contains(computed, name) || strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
		if native {
			used[name] = quantity
		}
		if native || extended(name) {
			used[requestsPrefix+name] = quantity
		}
	}
	for _, name := range computed {
		if quantity, ok := limits[name]; ok {
			used[limitsPrefix+name] = quantity
		}
	}
	return used
}

// mustBeStated are the resources which, once a quota limits them, every container has to ask for.
var mustBeStated = []corev1.ResourceName{
	corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceRequestsCPU, corev1.ResourceRequestsMemory,
	corev1.ResourceLimitsCPU, corev1.ResourceLimitsMemory,
}

// unstated says what a pod has to ask for and does not; nil when it asks for all.
func unstated(pod *corev1.Pod, limited corev1.ResourceList) error {
	whole := corev1.ResourceList{}
	if r := pod.Spec.Resources; r != nil {
		whole = computeUsage(r.Requests, r.Limits)
	}
	missing := map[corev1.ResourceName][]string{}
	for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		stated := computeUsage(c.Resources.Requests, c.Resources.Limits)
		for _, name := range mustBeStated {
			_, matters := limited[name]
			_, here := stated[name]
			_, forAll := whole[name]
			if matters && !here && !forAll {
				missing[name] = append(missing[name], c.Name)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		parts = append(parts, fmt.Sprintf("%s for: %s", name, strings.Join(slices.Sorted(slices.Values(missing[name])), ",")))
	}
	return fmt.Errorf("must specify %s", strings.Join(parts, "; "))
}
