package allocate

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

// ManagedBy labels the IPAddresses that belong to services.
const ManagedBy = "ipallocator.k8s.io"

// Addresses are claimed by IPAddress objects, node ports by RangeAllocations of one port, which no client sees.

// ClaimedAddresses are a service's own addresses, in their canonical form.
func ClaimedAddresses(s *corev1.Service) []string {
	var ips []string
	if !kind.NeedsClusterIP(s) {
		return nil
	}
	for _, text := range s.Spec.ClusterIPs {
		if ip, err := netip.ParseAddr(text); err == nil {
			ips = append(ips, ip.String())
		}
	}
	return ips
}

// ClaimedPorts are the ports that a service has to itself on every node, each once.
func ClaimedPorts(s *corev1.Service) []int32 {
	ports := kind.NodePorts(s)
	if kind.NeedsHealthCheckPort(s) && s.Spec.HealthCheckNodePort != 0 {
		ports = append(ports, s.Spec.HealthCheckNodePort)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// IPAddress says that an address is a service's.
func IPAddress(ip string, s *corev1.Service) *networkingv1.IPAddress {
	return &networkingv1.IPAddress{
		ObjectMeta: metav1.ObjectMeta{Name: ip, Labels: map[string]string{
			networkingv1.LabelIPAddressFamily: string(kind.FamilyOf(ip)),
			networkingv1.LabelManagedBy:       ManagedBy,
		}},
		Spec: networkingv1.IPAddressSpec{
			ParentRef: &networkingv1.ParentReference{Resource: kind.Service.Resource, Namespace: s.Namespace, Name: s.Name},
		},
	}
}

// BelongsTo tells whether an address is a service's.
func BelongsTo(a *networkingv1.IPAddress, s *corev1.Service) bool {
	p := a.Spec.ParentRef
	return OfService(a) && p.Namespace == s.Namespace && p.Name == s.Name
}

// OfService tells whether an address is that of any service.
func OfService(a *networkingv1.IPAddress) bool {
	p := a.Spec.ParentRef
	return p != nil && p.Group == "" && p.Resource == kind.Service.Resource
}
