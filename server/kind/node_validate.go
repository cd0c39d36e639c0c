package kind

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateNode(n *corev1.Node) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateTaints(n.Spec.Taints, path.Child("taints"))
	errs = append(errs, validateAddresses(n.Status.Addresses, field.NewPath("status", "addresses"))...)
	errs = append(errs, validateNodeResources(n)...)
	for i, cidr := range n.Spec.PodCIDRs {
		errs = append(errs, validation.IsValidCIDRForLegacyField(path.Child("podCIDRs").Index(i), cidr, false, nil)...)
	}
	if len(n.Spec.PodCIDRs) > 2 {
		errs = append(errs, field.Invalid(path.Child("podCIDRs"), n.Spec.PodCIDRs, "may specify no more than one CIDR for each IP family"))
	}
	return errs
}

func validateTaints(taints []corev1.Taint, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	type pair struct {
		key    string
		effect corev1.TaintEffect
	}
	seen := unique[pair]{}
	for i, t := range taints {
		at := path.Index(i)
		errs = append(errs, metav1validation.ValidateLabelName(t.Key, at.Child("key"))...)
		errs = append(errs, invalid(at.Child("value"), t.Value, validation.IsValidLabelValue(t.Value))...)
		errs = append(errs, validateTaintEffect(t.Effect, at.Child("effect"))...)
		for _, err := range seen.check(at, pair{t.Key, t.Effect}, t) {
			err.Detail = "taints must be unique by key and effect pair"
			errs = append(errs, err)
		}
	}
	return errs
}

func validateAddresses(addresses []corev1.NodeAddress, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := unique[corev1.NodeAddress]{}
	for i, a := range addresses {
		errs = append(errs, seen.check(path.Index(i), a, a)...)
	}
	return errs
}

func validateNodeResources(n *corev1.Node) field.ErrorList {
	errs := validateAmounts(n.Status.Capacity, field.NewPath("status", "capacity"))
	return append(errs, validateAmounts(n.Status.Allocatable, field.NewPath("status", "allocatable"))...)
}

func validateAmounts(list corev1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(list)) {
		at := path.Key(string(name))
		errs = append(errs, invalid(at, string(name), validation.IsQualifiedName(string(name)))...)
		errs = append(errs, validateQuantity(name, list[name], at)...)
	}
	return errs
}

// validateNodeUpdate keeps what others rely on once it is known: the pods' addresses, and whose machine it is.
func validateNodeUpdate(updated, old *corev1.Node) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if len(old.Spec.PodCIDRs) > 0 && !slices.Equal(updated.Spec.PodCIDRs, old.Spec.PodCIDRs) {
		errs = append(errs, field.Forbidden(path.Child("podCIDRs"), "node updates may not change podCIDR except from \"\" to valid"))
	}
	if old.Spec.ProviderID != "" && updated.Spec.ProviderID != old.Spec.ProviderID {
		errs = append(errs, field.Forbidden(path.Child("providerID"), "node updates may not change providerID except from \"\" to valid"))
	}
	return errs
}
