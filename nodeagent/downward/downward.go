// Package downward resolves what a pod may ask about itself: fields (fieldRef) and the resources of its containers
// (resourceFieldRef), for environment variables and downward API volumes alike.
package downward

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Resolver resolves references. Allocatable is what a container without a limit may use: the node's.
type Resolver struct {
	Allocatable func() corev1.ResourceList
}

// plain are the fields with one name; labels and annotations may also have a key in brackets.
var plain = map[string]func(*corev1.Pod) string{
	"metadata.name":           func(p *corev1.Pod) string { return p.Name },
	"metadata.namespace":      func(p *corev1.Pod) string { return p.Namespace },
	"metadata.uid":            func(p *corev1.Pod) string { return string(p.UID) },
	"metadata.labels":         func(p *corev1.Pod) string { return lines(p.Labels) },
	"metadata.annotations":    func(p *corev1.Pod) string { return lines(p.Annotations) },
	"spec.nodeName":           func(p *corev1.Pod) string { return p.Spec.NodeName },
	"spec.serviceAccountName": func(p *corev1.Pod) string { return p.Spec.ServiceAccountName },
	"status.hostIP":           func(p *corev1.Pod) string { return p.Status.HostIP },
	"status.podIP":            func(p *corev1.Pod) string { return p.Status.PodIP },
	"status.hostIPs": func(p *corev1.Pod) string {
		return join(p.Status.HostIPs, func(ip corev1.HostIP) string { return ip.IP })
	},
	"status.podIPs": func(p *corev1.Pod) string {
		return join(p.Status.PodIPs, func(ip corev1.PodIP) string { return ip.IP })
	},
}

// Field gives the text of a field of a pod. Its status must be up to date for the addresses in it.
func (Resolver) Field(pod *corev1.Pod, ref *corev1.ObjectFieldSelector) (string, error) {
	if get := plain[ref.FieldPath]; get != nil {
		return get(pod), nil
	}
	path, key, ok := strings.Cut(ref.FieldPath, "['")
	key, closed := strings.CutSuffix(key, "']")
	if ok && closed {
		switch path {
		case "metadata.labels":
			return pod.Labels[key], nil
		case "metadata.annotations":
			return pod.Annotations[key], nil
		}
	}
	return "", fmt.Errorf("unsupported fieldPath: %v", ref.FieldPath)
}

// Resource gives a container's request or limit in units of the divisor, rounded up.
func (r Resolver) Resource(pod *corev1.Pod, ref *corev1.ResourceFieldSelector) (string, error) {
	c := container(pod, ref.ContainerName)
	if c == nil {
		return "", fmt.Errorf("container %s not found", ref.ContainerName)
	}
	side, name, _ := strings.Cut(ref.Resource, ".")
	var q resource.Quantity
	switch side {
	case "limits":
		limit, ok := c.Resources.Limits[corev1.ResourceName(name)]
		if !ok {
			limit = r.Allocatable()[corev1.ResourceName(name)]
		}
		q = limit
	case "requests":
		q = c.Resources.Requests[corev1.ResourceName(name)]
	default:
		return "", fmt.Errorf("unsupported container resource: %v", ref.Resource)
	}
	return divide(name, q, ref.Divisor), nil
}

// divide rounds up; processors count in thousandths, so that a divisor of 1m works.
func divide(name string, q, divisor resource.Quantity) string {
	value, unit := q.Value(), divisor.Value()
	if name == string(corev1.ResourceCPU) {
		value, unit = q.MilliValue(), divisor.MilliValue()
		if divisor.IsZero() {
			unit = 1000
		}
	}
	if unit == 0 {
		unit = 1
	}
	return strconv.FormatInt((value+unit-1)/unit, 10)
}

func container(pod *corev1.Pod, name string) *corev1.Container {
	for _, list := range [][]corev1.Container{pod.Spec.Containers, pod.Spec.InitContainers} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

// lines is a map as the downward API shows it: sorted key="value" lines.
func lines(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%v=%q", k, m[k]))
	}
	return strings.Join(out, "\n")
}

func join[T any](list []T, text func(T) string) string {
	var out []string
	for _, item := range list {
		out = append(out, text(item))
	}
	return strings.Join(out, ",")
}
