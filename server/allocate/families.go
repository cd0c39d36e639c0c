package allocate

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

var (
	policyPath   = field.NewPath("spec", "ipFamilyPolicy")
	familiesPath = field.NewPath("spec", "ipFamilies")
)

// Families fills in the families of a service's addresses and the policy for them. cluster are those that services can
// have, the default first; old is nil for a new service. A service with neither address nor selector may name families
// that the cluster does not have: whoever lists its endpoints knows.
func Families(updated, old *corev1.Service, cluster []corev1.IPFamily) field.ErrorList {
	if !kind.NeedsClusterIP(updated) || prefersAsBefore(updated, old) {
		return nil
	}
	setPolicy(updated, old)
	if errs := kind.ValidateClusterIPs(updated); len(errs) > 0 {
		return errs
	}
	var errs field.ErrorList
	if old != nil {
		errs = release(updated, old)
	}
	errs = append(errs, infer(updated, cluster)...)
	if len(errs) > 0 {
		return errs
	}
	spec := &updated.Spec
	if spec.ClusterIP == corev1.ClusterIPNone && len(spec.Selector) == 0 {
		complete(spec, cluster[0], true)
		return nil
	}
	if errs := available(spec, cluster); len(errs) > 0 {
		return errs
	}
	complete(spec, cluster[0], len(cluster) == 2)
	return nil
}

// prefersAsBefore tells an update of a service that takes what families there are, and has what it has: it gets no
// second address only because the cluster has come to offer one.
func prefersAsBefore(updated, old *corev1.Service) bool {
	const prefer = corev1.IPFamilyPolicyPreferDualStack
	return old != nil && old.Spec.Type == updated.Spec.Type &&
		ptr.Deref(updated.Spec.IPFamilyPolicy, "") == prefer && ptr.Deref(old.Spec.IPFamilyPolicy, prefer) == prefer &&
		slices.Equal(updated.Spec.ClusterIPs, old.Spec.ClusterIPs) && slices.Equal(updated.Spec.IPFamilies, old.Spec.IPFamilies)
}

func setPolicy(updated, old *corev1.Service) {
	spec := &updated.Spec
	switch {
	case spec.IPFamilyPolicy != nil:
	case old != nil && old.Spec.IPFamilyPolicy != nil:
		spec.IPFamilyPolicy = ptr.To(*old.Spec.IPFamilyPolicy)
	case spec.ClusterIP == corev1.ClusterIPNone && len(spec.Selector) == 0:
		spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicyRequireDualStack)
	default:
		spec.IPFamilyPolicy = ptr.To(corev1.IPFamilyPolicySingleStack)
	}
}

// release drops the second address and family of a service that is to have one only; others may not lose theirs.
func release(updated, old *corev1.Service) field.ErrorList {
	is, was := &updated.Spec, &old.Spec
	if *is.IPFamilyPolicy == corev1.IPFamilyPolicySingleStack {
		if slices.Equal(is.ClusterIPs, was.ClusterIPs) && len(is.ClusterIPs) > 1 {
			is.ClusterIPs = is.ClusterIPs[:1:1]
		}
		if slices.Equal(is.IPFamilies, was.IPFamilies) && len(is.IPFamilies) > 1 {
			is.IPFamilies = is.IPFamilies[:1:1]
		}
		return nil
	}
	var errs field.ErrorList
	if reduced(is.ClusterIPs, was.ClusterIPs) {
		errs = append(errs, field.Invalid(policyPath, is.IPFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"))
	}
	if reduced(is.IPFamilies, was.IPFamilies) {
		errs = append(errs, field.Invalid(policyPath, is.IPFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"))
	}
	return errs
}

// reduced tells a list that is given, and shorter than it was.
func reduced[T any](is, was []T) bool { return len(is) > 0 && len(is) < len(was) }

// infer takes families from the addresses that are given, and checks both against the policy.
func infer(updated *corev1.Service, cluster []corev1.IPFamily) field.ErrorList {
	var errs field.ErrorList
	spec := &updated.Spec
	if *spec.IPFamilyPolicy == corev1.IPFamilyPolicySingleStack {
		const must = "must be 'RequireDualStack' or 'PreferDualStack' when multiple %s are specified"
		if len(spec.ClusterIPs) == 2 {
			errs = append(errs, field.Invalid(policyPath, spec.IPFamilyPolicy, fmt.Sprintf(must, "cluster IPs")))
		}
		if len(spec.IPFamilies) == 2 {
			errs = append(errs, field.Invalid(policyPath, spec.IPFamilyPolicy, fmt.Sprintf(must, "IP families")))
		}
	}
	for i, ip := range spec.ClusterIPs {
		if ip == corev1.ClusterIPNone || i < len(spec.IPFamilies) {
			continue
		}
		family := kind.FamilyOf(ip)
		if !slices.Contains(cluster, family) {
			errs = append(errs, field.Invalid(field.NewPath("spec", "clusterIPs").Index(i), spec.ClusterIPs,
				fmt.Sprintf("%s is not configured on this cluster", family)))
			continue
		}
		spec.IPFamilies = append(spec.IPFamilies, family)
	}
	return errs
}

// available checks that the cluster has the families that a service wants.
func available(spec *corev1.ServiceSpec, cluster []corev1.IPFamily) field.ErrorList {
	var errs field.ErrorList
	if *spec.IPFamilyPolicy == corev1.IPFamilyPolicyRequireDualStack && len(cluster) < 2 {
		errs = append(errs, field.Invalid(policyPath, spec.IPFamilyPolicy, "this cluster is not configured for dual-stack services"))
	}
	for i, family := range spec.IPFamilies {
		if !slices.Contains(cluster, family) {
			errs = append(errs, field.Invalid(familiesPath.Index(i), family, "not configured on this cluster"))
		}
	}
	return errs
}

// complete gives a service its first family and, where it may have two, the other one.
func complete(spec *corev1.ServiceSpec, first corev1.IPFamily, two bool) {
	if len(spec.IPFamilies) == 0 {
		spec.IPFamilies = []corev1.IPFamily{first}
	}
	if two && len(spec.IPFamilies) == 1 && *spec.IPFamilyPolicy != corev1.IPFamilyPolicySingleStack {
		spec.IPFamilies = append(spec.IPFamilies, other(spec.IPFamilies[0]))
	}
}

func other(family corev1.IPFamily) corev1.IPFamily {
	if family == corev1.IPv4Protocol {
		return corev1.IPv6Protocol
	}
	return corev1.IPv4Protocol
}
