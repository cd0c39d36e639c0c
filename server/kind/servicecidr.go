package kind

import (
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	netutils "k8s.io/utils/net"
)

// ServiceCIDR is a range that services get their addresses from.
var ServiceCIDR = &Kind{
	GroupVersionKind: networking("ServiceCIDR"),
	Resource:         "servicecidrs",
	Singular:         "servicecidr",
	New:              makes[networkingv1.ServiceCIDR](),
	NewList:          makes[networkingv1.ServiceCIDRList](),

	PrepareCreate: changes(func(c *networkingv1.ServiceCIDR) { c.Status = networkingv1.ServiceCIDRStatus{} }),
	PrepareUpdate: changesOver(func(updated, old *networkingv1.ServiceCIDR) { updated.Status = old.Status }),
	PrepareStatus: changesOver(reportServiceCIDR),
	HasStatus:     true,

	Validate:       validates(validateServiceCIDR),
	ValidateUpdate: validatesOver(validateServiceCIDRUpdate),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("CIDRs", "string", networkingv1.ServiceCIDRSpec{}.SwaggerDoc()["cidrs"]),
		ageColumn,
	},
	Row: prints(func(c *networkingv1.ServiceCIDR) []any {
		return []any{c.Name, strings.Join(c.Spec.CIDRs, ","), age(c)}
	}),
}

// DefaultServiceCIDR is the name of the range that every cluster starts with.
const DefaultServiceCIDR = "kubernetes"

// reportServiceCIDR keeps the spec and the metadata but for who owns which field.
func reportServiceCIDR(updated, old *networkingv1.ServiceCIDR) {
	updated.Spec = old.Spec
	metav1.ResetObjectMetaForStatus(&updated.ObjectMeta, &old.ObjectMeta)
}

func validateServiceCIDR(c *networkingv1.ServiceCIDR) field.ErrorList {
	path, cidrs := field.NewPath("spec", "cidrs"), c.Spec.CIDRs
	switch {
	case len(cidrs) == 0:
		return field.ErrorList{field.Required(path, "at least one CIDR required")}
	case len(cidrs) > 2:
		return field.ErrorList{field.Invalid(path, c.Spec, "may only hold up to 2 values")}
	}
	var errs field.ErrorList
	for i, cidr := range cidrs {
		errs = append(errs, validation.IsValidCIDR(path.Index(i), cidr)...)
	}
	if family := netutils.IPFamilyOfCIDRString(cidrs[0]); len(cidrs) == 2 && family != netutils.IPFamilyUnknown &&
		family == netutils.IPFamilyOfCIDRString(cidrs[1]) {
		errs = append(errs, field.Invalid(path, cidrs, "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"))
	}
	return errs
}

// validateServiceCIDRUpdate keeps the ranges; one of the other family may be added to one that is alone.
func validateServiceCIDRUpdate(updated, old *networkingv1.ServiceCIDR) field.ErrorList {
	path, is, was := field.NewPath("spec", "cidrs"), updated.Spec.CIDRs, old.Spec.CIDRs
	if len(is) != len(was) && (len(was) != 1 || len(is) != 2) {
		return field.ErrorList{field.Invalid(path, is, apivalidation.FieldImmutableErrorMsg)}
	}
	var errs field.ErrorList
	for i, cidr := range was {
		if cidr != is[i] {
			errs = append(errs, field.Invalid(path.Index(i), is[i], apivalidation.FieldImmutableErrorMsg))
		}
	}
	return errs
}
