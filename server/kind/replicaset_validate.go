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
	return append(errs, validateWorkloadTemplate(&rs.Spec.Template, rs.Spec.Selector, path.Child("template"))...)
}

func validateReplicaSetUpdate(updated, old *appsv1.ReplicaSet) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec.Selector, old.Spec.Selector, field.NewPath("spec", "selector"))
}

func validateReplicaSetStatus(updated, _ *appsv1.ReplicaSet) field.ErrorList {
	path, s := field.NewPath("status"), updated.Status
	all := replicaCount{"replicas", s.Replicas}
	labeled := replicaCount{"fullyLabeledReplicas", s.FullyLabeledReplicas}
	ready := replicaCount{"readyReplicas", s.ReadyReplicas}
	available := replicaCount{"availableReplicas", s.AvailableReplicas}

	errs := replicaCounts(path, all, labeled, ready, available)
	errs = append(errs, nonNegative(path.Child("observedGeneration"), &s.ObservedGeneration)...)
	errs = append(errs, atMost(path, labeled, all, "cannot be greater than status.replicas")...)
	errs = append(errs, atMost(path, ready, all, "cannot be greater than status.replicas")...)
	errs = append(errs, atMost(path, available, all, "cannot be greater than status.replicas")...)
	return append(errs, atMost(path, available, ready, "cannot be greater than readyReplicas")...)
}
