package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateDaemonSet(ds *appsv1.DaemonSet) field.ErrorList {
	path, s := field.NewPath("spec"), &ds.Spec
	at := path.Child("template")
	errs := labelSelector(path.Child("selector"), s.Selector)
	selector, err := metav1.LabelSelectorAsSelector(s.Selector)
	if err == nil && !selector.Matches(labels.Set(s.Template.Labels)) {
		errs = append(errs, field.Invalid(at.Child("metadata", "labels"), s.Template.Labels, "`selector` does not match template `labels`"))
	}
	if s.Selector != nil && len(s.Selector.MatchLabels)+len(s.Selector.MatchExpressions) == 0 {
		errs = append(errs, field.Invalid(path.Child("selector"), s.Selector, "empty selector is invalid for daemonset"))
	}
	errs = append(errs, validatePodTemplate(&s.Template, at)...)
	errs = append(errs, runsOn(&s.Template, "DaemonSet", at)...)
	errs = append(errs, nonNegative(path.Child("minReadySeconds"), &s.MinReadySeconds)...)
	errs = append(errs, validateDaemonStrategy(&s.UpdateStrategy, path.Child("updateStrategy"))...)
	return append(errs, nonNegative(path.Child("revisionHistoryLimit"), s.RevisionHistoryLimit)...)
}

func validateDaemonStrategy(u *appsv1.DaemonSetUpdateStrategy, path *field.Path) field.ErrorList {
	switch u.Type {
	case appsv1.OnDeleteDaemonSetStrategyType:
		return nil
	case appsv1.RollingUpdateDaemonSetStrategyType:
		if u.RollingUpdate == nil {
			return field.ErrorList{field.Required(path.Child("rollingUpdate"), "")}
		}
		return validateDaemonRolling(u.RollingUpdate, path.Child("rollingUpdate"))
	}
	return field.ErrorList{field.NotSupported(path, *u,
		[]string{string(appsv1.RollingUpdateDaemonSetStrategyType), string(appsv1.OnDeleteDaemonSetStrategyType)})}
}

// validateDaemonRolling wants one of surge and unavailable pods: a node has one pod, or for a while none or two.
func validateDaemonRolling(r *appsv1.RollingUpdateDaemonSet, path *field.Path) field.ErrorList {
	unavailable, surge := ptr.Deref(r.MaxUnavailable, intstr.IntOrString{}), ptr.Deref(r.MaxSurge, intstr.IntOrString{})
	errs := countOrPercent(unavailable, path.Child("maxUnavailable"))
	errs = append(errs, countOrPercent(surge, path.Child("maxSurge"))...)
	errs = append(errs, atMostAll(unavailable, path.Child("maxUnavailable"))...)
	errs = append(errs, atMostAll(surge, path.Child("maxSurge"))...)
	switch some, more := number(unavailable) != 0, number(surge) != 0; {
	case some && more:
		errs = append(errs, field.Invalid(path.Child("maxSurge"), surge, "may not be set when maxUnavailable is non-zero"))
	case !some && !more:
		errs = append(errs, field.Required(path.Child("maxUnavailable"), "cannot be 0 when maxSurge is 0"))
	}
	return errs
}

func validateDaemonSetUpdate(updated, old *appsv1.DaemonSet) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec.Selector, old.Spec.Selector, field.NewPath("spec", "selector"))
}

func validateDaemonSetStatus(updated, old *appsv1.DaemonSet) field.ErrorList {
	path, s := field.NewPath("status"), &updated.Status
	var errs field.ErrorList
	for _, n := range []replicaCount{
		{"currentNumberScheduled", s.CurrentNumberScheduled}, {"numberMisscheduled", s.NumberMisscheduled},
		{"desiredNumberScheduled", s.DesiredNumberScheduled}, {"numberReady", s.NumberReady},
		{"updatedNumberScheduled", s.UpdatedNumberScheduled}, {"numberAvailable", s.NumberAvailable},
		{"numberUnavailable", s.NumberUnavailable},
	} {
		errs = append(errs, n.nonNegative(path)...)
	}
	errs = append(errs, nonNegative(path.Child("observedGeneration"), &s.ObservedGeneration)...)
	errs = append(errs, nonNegative(path.Child("collisionCount"), s.CollisionCount)...)
	return append(errs, notDecremented(s.CollisionCount, old.Status.CollisionCount, path.Child("collisionCount"))...)
}
