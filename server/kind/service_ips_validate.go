package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// ValidateClusterIPs checks a service's addresses, their families and the policy for them, by themselves and against
// each other. What is not there yet, the server fills in afterwards.
func ValidateClusterIPs(s *corev1.Service) field.ErrorList {
	if s.Spec.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	path, ips := field.NewPath("spec", "clusterIPs"), s.Spec.ClusterIPs
	errs := validateFirstClusterIP(&s.Spec, path)
	errs = append(errs, validateFamilies(&s.Spec)...)
	wrong := validateEachClusterIP(ips, path)
	errs = append(errs, wrong...)
	if len(ips) > 2 {
		errs = append(errs, field.Invalid(path, ips, "may only hold up to 2 values"))
	}
	if len(wrong) > 0 {
		return errs
	}
	if len(ips) > 1 && !dualStack(ips) {
		errs = append(errs, field.Invalid(path, ips, "may specify no more than one IP for each IP family"))
	}
	return append(errs, matchFamilies(s, path)...)
}

// validateFirstClusterIP checks that the single address is the first of the list.
func validateFirstClusterIP(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	switch ips := spec.ClusterIPs; {
	case spec.ClusterIP != "" && len(ips) == 0:
		return field.ErrorList{field.Required(path, "")}
	case spec.ClusterIP != "" && ips[0] != spec.ClusterIP:
		return field.ErrorList{field.Invalid(path, ips, "first value must match `clusterIP`")}
	case spec.ClusterIP == "" && len(ips) > 0:
		return field.ErrorList{field.Invalid(path, ips, "must be empty when `clusterIP` is not specified")}
	}
	return nil
}

func validateFamilies(spec *corev1.ServiceSpec) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec", "ipFamilies")
	seen := unique[corev1.IPFamily]{}
	for i, family := range spec.IPFamilies {
		errs = append(errs, maybeOneOf(path.Index(i), &family, corev1.IPv4Protocol, corev1.IPv6Protocol)...)
		errs = append(errs, seen.check(path.Index(i), family, family)...)
	}
	return append(errs, maybeOneOf(field.NewPath("spec", "ipFamilyPolicy"), spec.IPFamilyPolicy,
		corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack, corev1.IPFamilyPolicySingleStack)...)
}

// validateEachClusterIP checks that each is an address, or that "None" is the only one.
func validateEachClusterIP(ips []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, ip := range ips {
		switch {
		case i > 0 || ip != corev1.ClusterIPNone:
			errs = append(errs, validation.IsValidIPForLegacyField(path.Index(i), ip, true, nil)...)
		case len(ips) > 1:
			errs = append(errs, field.Invalid(path, ips, "'None' must be the first and only value"))
		}
	}
	return errs
}

func dualStack(ips []string) bool {
	dual, err := netutils.IsDualStackIPStrings(ips)
	return err == nil && dual
}

// matchFamilies checks that each address is of the family that stands at its place, where one does.
func matchFamilies(s *corev1.Service, path *field.Path) field.ErrorList {
	if Headless(s) {
		return nil
	}
	var errs field.ErrorList
	for i, ip := range s.Spec.ClusterIPs[:min(len(s.Spec.ClusterIPs), len(s.Spec.IPFamilies))] {
		want := s.Spec.IPFamilies[i]
		known := want == corev1.IPv4Protocol || want == corev1.IPv6Protocol
		if known && want != FamilyOf(ip) {
			errs = append(errs, field.Invalid(path.Index(i), ip, fmt.Sprintf("expected an %s value as indicated by `ipFamilies[%v]`", want, i)))
		}
	}
	return errs
}

// FamilyOf is an address's family.
func FamilyOf(ip string) corev1.IPFamily {
	if netutils.IsIPv6String(ip) {
		return corev1.IPv6Protocol
	}
	return corev1.IPv4Protocol
}
