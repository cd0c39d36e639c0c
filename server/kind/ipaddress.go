package kind

import (
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// IPAddress says whose an address is. Its name is the address.
var IPAddress = &Kind{
	GroupVersionKind: networking("IPAddress"),
	Resource:         "ipaddresses",
	Singular:         "ipaddress",
	ShortNames:       []string{"ip"},
	New:              makes[networkingv1.IPAddress](),
	NewList:          makes[networkingv1.IPAddressList](),

	Validate:       validates(validateIPAddress),
	ValidateUpdate: validatesOver(validateIPAddressUpdate),
	ValidateName:   addressName,

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("ParentRef", "string", networkingv1.IPAddressSpec{}.SwaggerDoc()["parentRef"]),
	},
	Row: prints(func(a *networkingv1.IPAddress) []any { return []any{a.Name, parentText(a.Spec.ParentRef)} }),
}

func parentText(p *networkingv1.ParentReference) string {
	if p == nil {
		return none
	}
	text := strings.ToLower(schema.GroupResource{Group: p.Group, Resource: p.Resource}.String())
	if p.Namespace != "" {
		text += "/" + p.Namespace
	}
	return text + "/" + p.Name
}

// addressName allows the canonical form of an address; no names are generated.
func addressName(name string, _ bool) []string {
	var problems []string
	for _, err := range validation.IsValidIP(nil, name) {
		problems = append(problems, err.Detail)
	}
	return problems
}

func validateIPAddress(a *networkingv1.IPAddress) field.ErrorList {
	path, p := field.NewPath("spec", "parentRef"), a.Spec.ParentRef
	if p == nil {
		return field.ErrorList{field.Required(path, "")}
	}
	errs := maybeNamed(path.Child("group"), p.Group, validation.IsDNS1123Subdomain)
	errs = append(errs, named(path.Child("resource"), p.Resource, content.IsPathSegmentName)...)
	errs = append(errs, named(path.Child("name"), p.Name, content.IsPathSegmentName)...)
	return append(errs, maybeNamed(path.Child("namespace"), p.Namespace, content.IsPathSegmentName)...)
}

func validateIPAddressUpdate(updated, old *networkingv1.IPAddress) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec.ParentRef, old.Spec.ParentRef, field.NewPath("spec", "parentRef"))
}
