package kind

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// updateService keeps the status, and takes away what the service's new type has no use for: what the server may have
// filled in and the request leaves as it is. What the request changes too is left for validation to refuse.
func updateService(updated, old *corev1.Service) {
	updated.Status = old.Status
	spec, was := &updated.Spec, &old.Spec
	if NeedsClusterIP(old) && !NeedsClusterIP(updated) {
		dropAddresses(updated, old)
	}
	if UsesNodePorts(old) && !UsesNodePorts(updated) && !addsNodePorts(updated, old) {
		for i := range spec.Ports {
			spec.Ports[i].NodePort = 0
		}
	}
	if NeedsHealthCheckPort(old) && !NeedsHealthCheckPort(updated) && spec.HealthCheckNodePort == was.HealthCheckNodePort {
		spec.HealthCheckNodePort = 0
	}
	if ExternallyAccessible(old) && !ExternallyAccessible(updated) && spec.ExternalTrafficPolicy == was.ExternalTrafficPolicy {
		spec.ExternalTrafficPolicy = ""
	}
	if updated.Spec.Type != corev1.ServiceTypeLoadBalancer {
		dropBalancer(updated, old)
	}
}

func dropAddresses(updated, old *corev1.Service) {
	spec, was := &updated.Spec, &old.Spec
	if SameClusterIPs(updated, old) {
		spec.ClusterIP, spec.ClusterIPs = "", nil
	}
	if slices.Equal(spec.IPFamilies, was.IPFamilies) {
		spec.IPFamilies = nil
	}
	if ptr.Equal(spec.IPFamilyPolicy, was.IPFamilyPolicy) {
		spec.IPFamilyPolicy = nil
	}
}

// dropBalancer takes away what only load balancers have.
func dropBalancer(updated, old *corev1.Service) {
	spec, was := &updated.Spec, &old.Spec
	updated.Status.LoadBalancer = corev1.LoadBalancerStatus{}
	if was.Type != corev1.ServiceTypeLoadBalancer {
		return
	}
	if ptr.Equal(spec.AllocateLoadBalancerNodePorts, was.AllocateLoadBalancerNodePorts) {
		spec.AllocateLoadBalancerNodePorts = nil
	}
	if ptr.Equal(spec.LoadBalancerClass, was.LoadBalancerClass) {
		spec.LoadBalancerClass = nil
	}
}

// addsNodePorts tells whether a service asks for a node port that it did not have.
func addsNodePorts(updated, old *corev1.Service) bool {
	had := NodePorts(old)
	return slices.ContainsFunc(NodePorts(updated), func(port int32) bool { return !slices.Contains(had, port) })
}
