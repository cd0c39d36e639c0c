package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func serviceWarnings(s *corev1.Service) []string {
	var warnings []string
	if _, set := s.Annotations[corev1.DeprecatedAnnotationTopologyAwareHints]; set {
		warnings = append(warnings, fmt.Sprintf("annotation %s is deprecated, please use %s instead",
			corev1.DeprecatedAnnotationTopologyAwareHints, corev1.AnnotationTopologyMode))
	}
	warnings = append(warnings, addressWarnings(s)...)
	external := s.Spec.Type == corev1.ServiceTypeExternalName
	if external && len(s.Spec.ExternalIPs) > 0 {
		warnings = append(warnings, fmt.Sprintf("spec.externalIPs is ignored when spec.type is %q", corev1.ServiceTypeExternalName))
	}
	if !external && s.Spec.ExternalName != "" {
		warnings = append(warnings, fmt.Sprintf("spec.externalName is ignored when spec.type is not %q", corev1.ServiceTypeExternalName))
	}
	if ptr.Deref(s.Spec.TrafficDistribution, "") == corev1.ServiceTrafficDistributionPreferClose {
		warnings = append(warnings, fmt.Sprintf("spec.trafficDistribution: %q is deprecated; use %q",
			corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone))
	}
	return warnings
}

// addressWarnings tell of addresses that are written in an unusual way, and of those that nothing heeds.
func addressWarnings(s *corev1.Service) []string {
	var warnings []string
	path, headless := field.NewPath("spec"), s.Spec.Type == corev1.ServiceTypeClusterIP && s.Spec.ClusterIP == corev1.ClusterIPNone
	if s.Spec.ClusterIP != "" && s.Spec.ClusterIP != corev1.ClusterIPNone {
		warnings = ipWarnings(path.Child("clusterIPs"), s.Spec.ClusterIPs)
	}
	if headless {
		warnings = append(warnings, headlessWarnings(&s.Spec)...)
	}
	warnings = append(warnings, ipWarnings(path.Child("externalIPs"), s.Spec.ExternalIPs)...)
	if len(s.Spec.ExternalIPs) > 0 && !headless && s.Spec.Type != corev1.ServiceTypeExternalName {
		warnings = append(warnings, "spec.externalIPs is deprecated and may no longer be implemented in some clusters")
	}
	if ip := s.Spec.LoadBalancerIP; ip != "" {
		warnings = append(warnings, validation.GetWarningsForIP(path.Child("loadBalancerIP"), ip)...)
	}
	for i, cidr := range s.Spec.LoadBalancerSourceRanges {
		warnings = append(warnings, validation.GetWarningsForCIDR(path.Child("loadBalancerSourceRanges").Index(i), cidr)...)
	}
	return warnings
}

func headlessWarnings(spec *corev1.ServiceSpec) []string {
	var warnings []string
	if spec.LoadBalancerIP != "" {
		warnings = append(warnings, "spec.loadBalancerIP is ignored for headless services")
	}
	if len(spec.ExternalIPs) > 0 {
		warnings = append(warnings, "spec.externalIPs is ignored for headless services")
	}
	if spec.SessionAffinity != corev1.ServiceAffinityNone {
		warnings = append(warnings, "spec.SessionAffinity is ignored for headless services")
	}
	return warnings
}

func ipWarnings(path *field.Path, ips []string) []string {
	var warnings []string
	for i, ip := range ips {
		warnings = append(warnings, validation.GetWarningsForIP(path.Index(i), ip)...)
	}
	return warnings
}

func serviceStatusWarnings(s *corev1.Service) []string {
	return balancerWarnings(s.Status.LoadBalancer.Ingress, balancerAddress)
}

// balancerWarnings tell of a load balancer's addresses that are written in an unusual way.
func balancerWarnings[T any](points []T, of func(T) (ip, hostname string)) []string {
	var warnings []string
	path := field.NewPath("status", "loadBalancer", "ingress")
	for i, point := range points {
		if ip, _ := of(point); ip != "" {
			warnings = append(warnings, validation.GetWarningsForIP(path.Index(i), ip)...)
		}
	}
	return warnings
}
