package allocate

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"leme/server/kind"
)

// Keep gives a service what it was given before and does not mention now, so that writing the same manifest again
// changes nothing, and brings the single address and the list of addresses together. old is nil for a new service.
func Keep(updated, old *corev1.Service) {
	if old == nil {
		if spec := &updated.Spec; spec.ClusterIP != "" && len(spec.ClusterIPs) == 0 {
			spec.ClusterIPs = []string{spec.ClusterIP}
		}
		return
	}
	if kind.NeedsClusterIP(old) && kind.NeedsClusterIP(updated) {
		if updated.Spec.ClusterIP == "" {
			updated.Spec.ClusterIP = old.Spec.ClusterIP
		}
		if len(updated.Spec.ClusterIPs) == 0 {
			updated.Spec.ClusterIPs = slices.Clone(old.Spec.ClusterIPs)
		}
	}
	if kind.NeedsNodePorts(old) && kind.NeedsNodePorts(updated) {
		keepNodePorts(updated, old)
	}
	if kind.NeedsHealthCheckPort(old) && kind.NeedsHealthCheckPort(updated) && updated.Spec.HealthCheckNodePort == 0 {
		updated.Spec.HealthCheckNodePort = old.Spec.HealthCheckNodePort
	}
	alike(&updated.Spec, &old.Spec)
}

// keepNodePorts gives ports back the node port that they had under their name, unless another one has it now.
func keepNodePorts(updated, old *corev1.Service) {
	had, asked := kind.NodePorts(old), kind.NodePorts(updated)
	named := map[string]int32{}
	for _, p := range old.Spec.Ports {
		named[p.Name] = p.NodePort
	}
	for i := range updated.Spec.Ports {
		p := &updated.Spec.Ports[i]
		was := named[p.Name]
		if taken := slices.Contains(asked, was) && slices.Contains(had, was); p.NodePort == 0 && !taken {
			p.NodePort = was
		}
	}
}

// alike follows a client that changes only one of the two forms of a service's addresses.
func alike(is, was *corev1.ServiceSpec) {
	untouched := slices.Equal(is.ClusterIPs, was.ClusterIPs)
	switch {
	case is.ClusterIP == was.ClusterIP && len(is.ClusterIPs) == 0:
		is.ClusterIPs = slices.Clone(was.ClusterIPs)
	case is.ClusterIP == was.ClusterIP || !untouched:
	case was.ClusterIP != "" && is.ClusterIP == "":
		is.ClusterIPs = nil
	default:
		is.ClusterIPs = []string{is.ClusterIP}
	}
}
