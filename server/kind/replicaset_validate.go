package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateReplicaSet(rs *appsv1.ReplicaSet) field.ErrorList {
	path := field.NewPath("spec")
	errs := nonNegative(path.Child("replicas"), rs.Spec.Replicas)
	errs = append(errs, nonNegative(path.Child("minReadySeconds"), &rs.Spec.MinReadySeconds)...)
	errs = append(errs, validateSelector(rs.Spec.Selector, "replicaset", path.Child("selector"))...)
	return append(errs, validateWorkloadTemplate(&rs.Spec.Template, rs.Spec.Selector, "ReplicaSet", path.Child("template"))...)
}

func validateReplicaSetUpdate(updated, old *appsv1.ReplicaSet) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec.Selector, old.Spec.Selector, field.NewPath("spec", "selector"))
}

func validateReplicaSetStatus(updated, _ *appsv1.ReplicaSet) field.ErrorList {
	path, s := field.NewPath("status"), updated.Status
	errs := nonNegative(path.Child("observedGeneration"), &s.ObservedGeneration)
	return append(errs, validateCounts(path, s.Replicas,
		replicaCount{"readyReplicas", s.ReadyReplicas}, replicaCount{"availableReplicas", s.AvailableReplicas},
		replicaCount{"fullyLabeledReplicas", s.FullyLabeledReplicas})...)
}
