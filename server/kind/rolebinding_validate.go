package kind

import (
	rbacv1 "k8s.io/api/rbac/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateRoleBinding(b *rbacv1.RoleBinding) field.ErrorList {
	return append(validateRoleRef(b.RoleRef, "Role", "ClusterRole"), validateSubjects(b.Subjects, true)...)
}

func validateClusterRoleBinding(b *rbacv1.ClusterRoleBinding) field.ErrorList {
	return append(validateRoleRef(b.RoleRef, "ClusterRole"), validateSubjects(b.Subjects, false)...)
}

func validateRoleRef(role rbacv1.RoleRef, kinds ...string) field.ErrorList {
	at := field.NewPath("roleRef")
	errs := maybeOneOf(at.Child("apiGroup"), &role.APIGroup, rbacv1.GroupName)
	errs = append(errs, maybeOneOf(at.Child("kind"), &role.Kind, kinds...)...)
	return append(errs, named(at.Child("name"), role.Name, func(name string) []string {
		return pathSegment(name, false)
	})...)
}

// validateSameRole keeps a binding's role: whoever may add subjects must not be able to give them another one.
func validateSameRole(updated, old rbacv1.RoleRef) field.ErrorList {
	if updated == old {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("roleRef"), updated, "cannot change roleRef")}
}

func validateSubjects(subjects []rbacv1.Subject, namespaced bool) field.ErrorList {
	var errs field.ErrorList
	for i, s := range subjects {
		errs = append(errs, validateSubject(field.NewPath("subjects").Index(i), s, namespaced)...)
	}
	return errs
}

// validateSubject checks who gets a role. A service account without namespace is one of the binding's own, if that has one.
func validateSubject(at *field.Path, s rbacv1.Subject, namespaced bool) field.ErrorList {
	errs := required(at.Child("name"), s.Name)
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		errs = append(errs, maybeNamed(at.Child("name"), s.Name, func(name string) []string {
			return apivalidation.ValidateServiceAccountName(name, false)
		})...)
		errs = append(errs, maybeOneOf(at.Child("apiGroup"), &s.APIGroup, "")...)
		if !namespaced {
			errs = append(errs, required(at.Child("namespace"), s.Namespace)...)
		}
	case rbacv1.UserKind, rbacv1.GroupKind:
		errs = append(errs, maybeOneOf(at.Child("apiGroup"), &s.APIGroup, rbacv1.GroupName)...)
	default:
		errs = append(errs, maybeOneOf(at.Child("kind"), &s.Kind, rbacv1.GroupKind, rbacv1.ServiceAccountKind, rbacv1.UserKind)...)
	}
	return errs
}
