package scheduler

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// unavailable words why no node takes a pod, as kube-scheduler does:
// "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable."
func unavailable(nodes int, reasons map[string]int) string {
	var counted []string
	for reason, n := range reasons {
		counted = append(counted, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(counted)
	return fmt.Sprintf("0/%d nodes are available: %s.", nodes, strings.Join(counted, ", "))
}

// unserved refuses a pod that asks for what this cluster does not give at all: it stays pending rather than
// run without.
func unserved(p *podInfo, nodes int) *refusal {
	reason := unservedVolume(p.pod)
	if claims := p.pod.Spec.ResourceClaims; reason == "" && len(claims) > 0 {
		reason = fmt.Sprintf("resource claim %q: no driver serves resource claims", claims[0].Name)
	}
	if reason == "" {
		return nil
	}
	return &refusal{fmt.Sprintf("0/%d nodes are available: %s.", nodes, reason), podItself}
}

func unservedVolume(pod *corev1.Pod) string {
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		switch {
		case v.PersistentVolumeClaim != nil:
			return fmt.Sprintf("persistentvolumeclaim %q not found", v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			return fmt.Sprintf("persistentvolumeclaim %q not found", pod.Name+"-"+v.Name)
		}
	}
	return ""
}
