package limit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Annotation is where a pod tells what was filled in.
const Annotation = "kubernetes.io/limit-ranger"

// Default gives the containers of a pod the limits and requests that they do not state.
func Default(lr *corev1.LimitRange, pod *corev1.Pod) {
	limits, requests := containerDefaults(lr)
	if len(limits)+len(requests) == 0 {
		return
	}
	var told []string
	for i := range pod.Spec.Containers {
		told = append(told, fill(&pod.Spec.Containers[i], "container", limits, requests)...)
	}
	for i := range pod.Spec.InitContainers {
		told = append(told, fill(&pod.Spec.InitContainers[i], "init container", limits, requests)...)
	}
	if len(told) == 0 {
		return
	}
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[Annotation] = "LimitRanger plugin set: " + strings.Join(told, "; ")
}

func containerDefaults(lr *corev1.LimitRange) (limits, requests corev1.ResourceList) {
	limits, requests = corev1.ResourceList{}, corev1.ResourceList{}
	for _, item := range lr.Spec.Limits {
		if item.Type == corev1.LimitTypeContainer {
			maps.Copy(limits, item.Default)
			maps.Copy(requests, item.DefaultRequest)
		}
	}
	return limits, requests
}

// fill completes one container, and says how.
func fill(c *corev1.Container, what string, limits, requests corev1.ResourceList) (told []string) {
	if set := merge(&c.Resources.Requests, requests); set != "" {
		told = append(told, fmt.Sprintf("%s request for %s %s", set, what, c.Name))
	}
	if set := merge(&c.Resources.Limits, limits); set != "" {
		told = append(told, fmt.Sprintf("%s limit for %s %s", set, what, c.Name))
	}
	return told
}

// merge adds what is missing to a list, and names that.
func merge(list *corev1.ResourceList, defaults corev1.ResourceList) string {
	var set []string
	for _, name := range slices.Sorted(maps.Keys(defaults)) {
		if _, stated := (*list)[name]; stated {
			continue
		}
		if *list == nil {
			*list = corev1.ResourceList{}
		}
		(*list)[name] = defaults[name].DeepCopy()
		set = append(set, string(name))
	}
	return strings.Join(set, ", ")
}
