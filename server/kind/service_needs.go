package kind

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// What a service needs follows from its type, and what one that changes its type may keep from what it needed before.

// ExternallyAccessible tells a service that can be reached from outside of the cluster.
func ExternallyAccessible(s *corev1.Service) bool {
	return UsesNodePorts(s) || s.Spec.Type == corev1.ServiceTypeClusterIP && len(s.Spec.ExternalIPs) > 0
}

// UsesNodePorts tells a service whose ports may be open on every node.
func UsesNodePorts(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeNodePort || s.Spec.Type == corev1.ServiceTypeLoadBalancer
}

// NeedsNodePorts tells a service whose ports must be open on every node.
func NeedsNodePorts(s *corev1.Service) bool {
	allocate := s.Spec.AllocateLoadBalancerNodePorts
	return s.Spec.Type == corev1.ServiceTypeNodePort || s.Spec.Type == corev1.ServiceTypeLoadBalancer && (allocate == nil || *allocate)
}

// NeedsHealthCheckPort tells a service of which each node says whether it has pods of it.
func NeedsHealthCheckPort(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeLoadBalancer && s.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal
}

// NeedsClusterIP tells a service that is more than another name; "None" counts as an address.
func NeedsClusterIP(s *corev1.Service) bool { return s.Spec.Type != corev1.ServiceTypeExternalName }

// Headless tells a service whose pods are found by name, without an address of its own.
func Headless(s *corev1.Service) bool {
	return len(s.Spec.ClusterIPs) == 1 && s.Spec.ClusterIPs[0] == corev1.ClusterIPNone
}

// NodePorts are the ports that a service has on every node, but for the one for health checks.
func NodePorts(s *corev1.Service) []int32 {
	var ports []int32
	for _, p := range s.Spec.Ports {
		if p.NodePort != 0 {
			ports = append(ports, p.NodePort)
		}
	}
	return ports
}

// SameClusterIPs tells two services with the same addresses.
func SameClusterIPs(a, b *corev1.Service) bool {
	return a.Spec.ClusterIP == b.Spec.ClusterIP && slices.Equal(a.Spec.ClusterIPs, b.Spec.ClusterIPs)
}
