package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

const balancersOnly = "may only be used when `type` is 'LoadBalancer'"

// validateBalancerSpec checks what only load balancers have.
func validateBalancerSpec(s *corev1.Service, path *field.Path) field.ErrorList {
	errs := validateSourceRanges(s, path)
	balancer := s.Spec.Type == corev1.ServiceTypeLoadBalancer
	switch allocate := s.Spec.AllocateLoadBalancerNodePorts; {
	case allocate != nil && !balancer:
		errs = append(errs, field.Forbidden(path.Child("allocateLoadBalancerNodePorts"), balancersOnly))
	case allocate == nil && balancer:
		errs = append(errs, field.Required(field.NewPath("allocateLoadBalancerNodePorts"), ""))
	}
	class, at := s.Spec.LoadBalancerClass, path.Child("loadBalancerClass")
	switch {
	case class != nil && balancer:
		errs = append(errs, invalid(at, *class, validation.IsQualifiedName(*class))...)
	case class != nil:
		errs = append(errs, field.Forbidden(at, balancersOnly))
	}
	return errs
}

// validateSourceRanges checks from where a load balancer takes traffic, in its field or in the annotation before it.
func validateSourceRanges(s *corev1.Service, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	at, ranges, annotation := path.Child("LoadBalancerSourceRanges"), s.Spec.LoadBalancerSourceRanges, false
	if len(ranges) == 0 {
		var text string
		if text, annotation = s.Annotations[corev1.AnnotationLoadBalancerSourceRangesKey]; !annotation {
			return nil
		}
		at = field.NewPath("metadata", "annotations").Key(corev1.AnnotationLoadBalancerSourceRangesKey)
		if text = strings.TrimSpace(text); text != "" {
			ranges = strings.Split(text, ",")
		}
	}
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
		errs = append(errs, field.Forbidden(at, balancersOnly))
	}
	for i, cidr := range ranges {
		each := at
		if !annotation {
			each = at.Index(i)
		}
		errs = append(errs, validation.IsValidCIDRForLegacyField(each, strings.TrimSpace(cidr), true, nil)...)
	}
	return errs
}

// validateTraffic checks where traffic goes that comes from outside, and from inside of the cluster.
func validateTraffic(s *corev1.Service, path *field.Path) field.ErrorList {
	errs := validateExternalTraffic(s, path)
	switch policy, at := s.Spec.InternalTrafficPolicy, path.Child("internalTrafficPolicy"); {
	case policy != nil:
		errs = append(errs, maybeOneOf(at, policy, corev1.ServiceInternalTrafficPolicyCluster, corev1.ServiceInternalTrafficPolicyLocal)...)
	case UsesNodePorts(s) || s.Spec.Type == corev1.ServiceTypeClusterIP:
		errs = append(errs, field.Required(at, ""))
	}
	return append(errs, maybeOneOf(path.Child("trafficDistribution"), s.Spec.TrafficDistribution,
		corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone,
		corev1.ServiceTrafficDistributionPreferSameNode)...)
}

func validateExternalTraffic(s *corev1.Service, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch policy, at := s.Spec.ExternalTrafficPolicy, path.Child("externalTrafficPolicy"); {
	case ExternallyAccessible(s):
		errs = oneOf(at, policy, corev1.ServiceExternalTrafficPolicyCluster, corev1.ServiceExternalTrafficPolicyLocal)
	case policy != "":
		errs = field.ErrorList{field.Invalid(at, policy, "may only be set for externally-accessible services")}
	}
	switch port, at := s.Spec.HealthCheckNodePort, path.Child("healthCheckNodePort"); {
	case !NeedsHealthCheckPort(s) && port != 0:
		errs = append(errs, field.Invalid(at, port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
	case NeedsHealthCheckPort(s) && port == 0:
		errs = append(errs, field.Required(at, ""))
	case NeedsHealthCheckPort(s):
		errs = append(errs, portNumber(at, port)...)
	}
	return errs
}

// validateServiceStatus checks the addresses that a load balancer reports.
func validateServiceStatus(updated, _ *corev1.Service) field.ErrorList {
	path, points := field.NewPath("status", "loadBalancer", "ingress"), updated.Status.LoadBalancer.Ingress
	if updated.Spec.Type != corev1.ServiceTypeLoadBalancer && len(points) > 0 {
		return field.ErrorList{field.Forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")}
	}
	var errs field.ErrorList
	for i := range points {
		point, at := &points[i], path.Index(i)
		errs = append(errs, validateBalancerIP(at.Child("ip"), point.IP)...)
		errs = append(errs, validateIPMode(point, at.Child("ipMode"))...)
		errs = append(errs, validateBalancerName(at.Child("hostname"), point.Hostname)...)
	}
	return errs
}

func validateIPMode(point *corev1.LoadBalancerIngress, path *field.Path) field.ErrorList {
	switch {
	case point.IPMode == nil && point.IP != "":
		return field.ErrorList{field.Required(path, "must be specified when `ip` is set")}
	case point.IPMode != nil && point.IP == "":
		return field.ErrorList{field.Forbidden(path, "may not be specified when `ip` is not set")}
	}
	return maybeOneOf(path, point.IPMode, corev1.LoadBalancerIPModeProxy, corev1.LoadBalancerIPModeVIP)
}
