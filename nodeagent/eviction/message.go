package eviction

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Reason is that of an evicted pod's status, and of its event.
const Reason = "Evicted"

// message says why a pod is evicted, in the kubelet's words, and what its event has as annotations.
func message(pod *corev1.Pod, t Threshold, seen Observations, known usages) (string, map[string]string) {
	short := t.Signal.Resource()
	text := fmt.Sprintf("The node was low on resource: %v. ", short)
	if o, ok := seen[t.Signal]; ok {
		text += fmt.Sprintf("Threshold quantity: %v, available: %v. ", quantity(short, t.Value.Of(o.Capacity)), quantity(short, o.Available))
	}
	annotations := map[string]string{}
	u, ok := known(pod)
	if !ok {
		return text, annotations
	}
	var names, amounts []string
	for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		used, measured := u.of(c.Name, short)
		request := c.Resources.Requests[short]
		if !measured || used <= request.Value() {
			continue
		}
		text += fmt.Sprintf("Container %s was using %s, request is %s, has larger consumption of %v. ", c.Name, quantity(short, used), request.String(), short)
		names, amounts = append(names, c.Name), append(amounts, quantity(short, used).String())
	}
	annotations["offending_containers"] = strings.Join(names, ",")
	annotations["offending_containers_usage"] = strings.Join(amounts, ",")
	annotations["starved_resource"] = string(short)
	return text, annotations
}

// of is what one container takes; measured is false for what containers are not measured by.
func (u Usage) of(container string, short corev1.ResourceName) (used int64, measured bool) {
	i := slices.IndexFunc(u.Containers, func(c ContainerUsage) bool { return c.Name == container })
	if i < 0 {
		return 0, false
	}
	c := u.Containers[i]
	switch short {
	case corev1.ResourceMemory:
		return c.Memory, true
	case corev1.ResourceEphemeralStorage:
		return c.Layer.Bytes + c.Log.Bytes, true
	}
	return 0, false
}

func quantity(of corev1.ResourceName, n int64) *resource.Quantity {
	if of == inodes || of == pids {
		return resource.NewQuantity(n, resource.DecimalSI)
	}
	return resource.NewQuantity(n, resource.BinarySI)
}
