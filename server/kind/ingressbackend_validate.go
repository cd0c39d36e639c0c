package kind

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateIngressBackend checks where requests are led to: a service's port, or an object of some other kind.
func validateIngressBackend(b *networkingv1.IngressBackend, path *field.Path) field.ErrorList {
	switch {
	case b.Resource != nil && b.Service != nil:
		return field.ErrorList{field.Invalid(path, "", "cannot set both resource and service backends")}
	case b.Resource != nil:
		return validateLocalReference(b.Resource, path.Child("resource"))
	case b.Service != nil:
		return validateServiceBackend(b.Service, path)
	}
	return field.ErrorList{field.Invalid(path, "", "resource or service backend is required")}
}

func validateServiceBackend(s *networkingv1.IngressServiceBackend, path *field.Path) field.ErrorList {
	errs := named(path.Child("service", "name"), s.Name, validation.IsDNS1123Label)
	at := path.Child("service", "port")
	switch byName, byNumber := s.Port.Name != "", s.Port.Number != 0; {
	case byName && byNumber:
		return append(errs, field.Invalid(path, "", "cannot set both port name & port number"))
	case byName:
		return append(errs, invalid(at.Child("name"), s.Port.Name, validation.IsValidPortName(s.Port.Name))...)
	case byNumber:
		return append(errs, portNumber(at.Child("number"), s.Port.Number)...)
	}
	return append(errs, field.Required(path, "port name or number is required"))
}

func validateLocalReference(r *corev1.TypedLocalObjectReference, path *field.Path) field.ErrorList {
	return validateGroupReference(r.APIGroup, r.Kind, r.Name, path)
}

// validateGroupReference checks the name of an object of any kind.
func validateGroupReference(group *string, kind, name string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if group != nil {
		errs = append(errs, invalid(path.Child("apiGroup"), *group, validation.IsDNS1123Subdomain(*group))...)
	}
	errs = append(errs, named(path.Child("kind"), kind, content.IsPathSegmentName)...)
	return append(errs, named(path.Child("name"), name, content.IsPathSegmentName)...)
}
