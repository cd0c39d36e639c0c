package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateReplicationController(rc *corev1.ReplicationController) field.ErrorList {
	path := field.NewPath("spec")
	errs := nonNegative(path.Child("minReadySeconds"), &rc.Spec.MinReadySeconds)
	if len(rc.Spec.Selector) == 0 {
		errs = append(errs, field.Required(path.Child("selector"), ""))
	}
	if rc.Spec.Replicas == nil {
		errs = append(errs, field.Required(path.Child("replicas"), ""))
	}
	errs = append(errs, nonNegative(path.Child("replicas"), rc.Spec.Replicas)...)
	if rc.Spec.Template == nil {
		return append(errs, field.Required(path.Child("template"), ""))
	}
	selector := &metav1.LabelSelector{MatchLabels: rc.Spec.Selector}
	return append(errs, validateWorkloadTemplate(rc.Spec.Template, selector, "ReplicationController", path.Child("template"))...)
}

func validateReplicationControllerStatus(updated, _ *corev1.ReplicationController) field.ErrorList {
	path, s := field.NewPath("status"), updated.Status
	errs := nonNegative(path.Child("observedGeneration"), &s.ObservedGeneration)
	return append(errs, validateCounts(path, s.Replicas,
		replicaCount{"readyReplicas", s.ReadyReplicas}, replicaCount{"availableReplicas", s.AvailableReplicas},
		replicaCount{"fullyLabeledReplicas", s.FullyLabeledReplicas})...)
}
