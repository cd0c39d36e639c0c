package kind

import (
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateNamespace(ns *corev1.Namespace) field.ErrorList {
	var errs field.ErrorList
	for i, finalizer := range ns.Spec.Finalizers {
		errs = append(errs, apivalidation.ValidateFinalizerName(string(finalizer), field.NewPath("spec", "finalizers").Index(i))...)
	}
	return errs
}

// validateNamespaceStatus checks that a namespace terminates when it is deleted, and only then.
func validateNamespaceStatus(updated, _ *corev1.Namespace) field.ErrorList {
	path := field.NewPath("status", "phase")
	switch {
	case updated.DeletionTimestamp == nil && updated.Status.Phase != corev1.NamespaceActive:
		return field.ErrorList{field.Invalid(path, updated.Status.Phase, "may only be 'Active' if `deletionTimestamp` is empty")}
	case updated.DeletionTimestamp != nil && updated.Status.Phase != corev1.NamespaceTerminating:
		return field.ErrorList{field.Invalid(path, updated.Status.Phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")}
	default:
		return nil
	}
}
