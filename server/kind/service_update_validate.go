package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validateServiceUpdate keeps what clients of a service know it by. A second address and family may come and go; the
// first stay, but for services that become, or are, another name of something elsewhere.
func validateServiceUpdate(updated, old *corev1.Service) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec")
	if NeedsClusterIP(updated) && NeedsClusterIP(old) {
		errs = append(validateClusterIPsUpdate(updated, old, path), validateFamiliesUpdate(updated, old, path)...)
	}
	balancers := updated.Spec.Type == corev1.ServiceTypeLoadBalancer && old.Spec.Type == corev1.ServiceTypeLoadBalancer
	if class := updated.Spec.LoadBalancerClass; balancers && !ptr.Equal(class, old.Spec.LoadBalancerClass) {
		errs = append(errs, field.Invalid(path.Child("loadBalancerClass"), class, "may not change once set"))
	}
	if NeedsHealthCheckPort(updated) && NeedsHealthCheckPort(old) && updated.Spec.HealthCheckNodePort != old.Spec.HealthCheckNodePort {
		errs = append(errs, field.Forbidden(path.Child("healthCheckNodePort"), "field is immutable"))
	}
	return errs
}

func validateClusterIPsUpdate(updated, old *corev1.Service, path *field.Path) field.ErrorList {
	if Headless(updated) && Headless(old) {
		return nil
	}
	var errs field.ErrorList
	is, was, at := updated.Spec.ClusterIPs, old.Spec.ClusterIPs, path.Child("clusterIPs")
	if len(is) == len(was) {
		for i, ip := range was {
			if ip != is[i] {
				errs = append(errs, field.Invalid(at.Index(i), is, "may not change once set"))
			}
		}
		return errs
	}
	switch {
	case len(is) == 0:
		errs = append(errs, field.Invalid(at.Index(0), is, "primary clusterIP can not be unset"))
	case len(was) > 0 && is[0] != was[0]:
		errs = append(errs, field.Invalid(at.Index(0), is, "may not change once set"))
	}
	if len(is) == 1 && len(was) > 1 && !singleStack(updated) {
		errs = append(errs, field.Invalid(path.Child("ipFamilyPolicy"), updated.Spec.IPFamilyPolicy,
			"must be set to 'SingleStack' when releasing the secondary clusterIP"))
	}
	return errs
}

func validateFamiliesUpdate(updated, old *corev1.Service, path *field.Path) field.ErrorList {
	if Headless(updated) || Headless(old) {
		return nil
	}
	var errs field.ErrorList
	is, was, at := updated.Spec.IPFamilies, old.Spec.IPFamilies, path.Child("ipFamilies")
	if len(is) == len(was) {
		for i, family := range was {
			if family != is[i] {
				errs = append(errs, field.Invalid(at.Index(0), is, "may not change once set"))
			}
		}
		return errs
	}
	if len(is) < len(was) && len(updated.Spec.ClusterIPs) == 0 {
		errs = append(errs, field.Invalid(at.Index(0), is, "primary ipFamily can not be unset"))
	}
	if len(is) > 0 && len(was) > 0 && is[0] != was[0] {
		errs = append(errs, field.Invalid(at.Index(0), updated.Spec.ClusterIPs, "may not change once set"))
	}
	if len(is) == 1 && len(was) > 1 && !singleStack(updated) {
		errs = append(errs, field.Invalid(path.Child("ipFamilyPolicy"), updated.Spec.IPFamilyPolicy,
			"must be set to 'SingleStack' when releasing the secondary ipFamily"))
	}
	return errs
}

func singleStack(s *corev1.Service) bool {
	return ptr.Deref(s.Spec.IPFamilyPolicy, "") == corev1.IPFamilyPolicySingleStack
}
