package eviction

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// excess is a limit of its own that a pod exceeds. The zero value is none.
type excess struct{ Signal, Message string }

// limited says whether a pod has limits of the disk that must be looked after.
func limited(pod *corev1.Pod) bool {
	for i := range pod.Spec.Volumes {
		if _, ok := volumeLimit(&pod.Spec.Volumes[i]); ok {
			return true
		}
	}
	limits := resourcehelper.PodLimits(pod, resourcehelper.PodResourcesOptions{})
	_, ok := limits[corev1.ResourceEphemeralStorage]
	return ok
}

// exceeded finds the first limit that a pod exceeds: of a volume, of the whole pod, of a container.
func exceeded(pod *corev1.Pod, u Usage, imagesApart bool) excess {
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if limit, ok := volumeLimit(v); ok && u.Volumes[v.Name].Bytes > limit {
			return excess{"emptydirfs.limit", fmt.Sprintf("Usage of EmptyDir volume %q exceeds the limit %q. ", v.Name, v.EmptyDir.SizeLimit.String())}
		}
	}
	limits := resourcehelper.PodLimits(pod, resourcehelper.PodResourcesOptions{})
	if limit, ok := limits[corev1.ResourceEphemeralStorage]; ok && u.disk(everything).Bytes > limit.Value() {
		return excess{"ephemeralpodfs.limit", fmt.Sprintf("Pod ephemeral local storage usage exceeds the total limit of containers %s. ", limit.String())}
	}
	for _, c := range u.Containers {
		limit, ok := containerLimit(pod, c.Name)
		used := c.Log.Bytes
		if !imagesApart {
			used += c.Layer.Bytes
		}
		if ok && used > limit.Value() {
			return excess{"ephemeralcontainerfs.limit", fmt.Sprintf("Container %s exceeded its local ephemeral storage limit %q. ", c.Name, limit.String())}
		}
	}
	return excess{}
}

// volumeLimit is that of an emptyDir on the disk; one in memory is bounded by the kernel.
func volumeLimit(v *corev1.Volume) (bytes int64, ok bool) {
	if v.EmptyDir == nil || v.EmptyDir.Medium != corev1.StorageMediumDefault || v.EmptyDir.SizeLimit == nil {
		return 0, false
	}
	return v.EmptyDir.SizeLimit.Value(), v.EmptyDir.SizeLimit.Sign() > 0
}

// containerLimit is what a container, or a sidecar, may take of the disk.
func containerLimit(pod *corev1.Pod, name string) (limit resource.Quantity, ok bool) {
	find := func(list []corev1.Container, counts func(*corev1.Container) bool) {
		for i := range list {
			if q := list[i].Resources.Limits.StorageEphemeral(); list[i].Name == name && !q.IsZero() && counts(&list[i]) {
				limit, ok = *q, true
			}
		}
	}
	find(pod.Spec.Containers, func(*corev1.Container) bool { return true })
	find(pod.Spec.InitContainers, func(c *corev1.Container) bool {
		return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	})
	return limit, ok
}
