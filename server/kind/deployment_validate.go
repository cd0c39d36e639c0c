package kind

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateDeployment(d *appsv1.Deployment) field.ErrorList {
	path := field.NewPath("spec")
	errs := nonNegative(path.Child("replicas"), d.Spec.Replicas)
	errs = append(errs, validateSelector(d.Spec.Selector, "deployment", path.Child("selector"))...)
	errs = append(errs, validateWorkloadTemplate(&d.Spec.Template, d.Spec.Selector, "ReplicaSet", path.Child("template"))...)
	errs = append(errs, validateStrategy(&d.Spec.Strategy, path.Child("strategy"))...)
	errs = append(errs, nonNegative(path.Child("minReadySeconds"), &d.Spec.MinReadySeconds)...)
	errs = append(errs, nonNegative(path.Child("revisionHistoryLimit"), d.Spec.RevisionHistoryLimit)...)
	if deadline := d.Spec.ProgressDeadlineSeconds; deadline != nil {
		at := path.Child("progressDeadlineSeconds")
		errs = append(errs, nonNegative(at, deadline)...)
		if *deadline <= d.Spec.MinReadySeconds {
			errs = append(errs, field.Invalid(at, *deadline, "must be greater than minReadySeconds"))
		}
	}
	return errs
}

func validateDeploymentUpdate(updated, old *appsv1.Deployment) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec.Selector, old.Spec.Selector, field.NewPath("spec", "selector"))
}

func validateStrategy(s *appsv1.DeploymentStrategy, path *field.Path) field.ErrorList {
	at := path.Child("rollingUpdate")
	switch s.Type {
	case appsv1.RecreateDeploymentStrategyType:
		if s.RollingUpdate != nil {
			return field.ErrorList{field.Forbidden(at, "may not be specified when strategy `type` is '"+string(s.Type)+"'")}
		}
		return nil
	case appsv1.RollingUpdateDeploymentStrategyType:
		if s.RollingUpdate == nil {
			return field.ErrorList{field.Required(at, "this should be defaulted and never be nil")}
		}
		return validateRollingUpdate(s.RollingUpdate, at)
	default:
		return field.ErrorList{field.NotSupported(path.Child("type"), s.Type,
			[]appsv1.DeploymentStrategyType{appsv1.RecreateDeploymentStrategyType, appsv1.RollingUpdateDeploymentStrategyType})}
	}
}

func validateRollingUpdate(r *appsv1.RollingUpdateDeployment, path *field.Path) field.ErrorList {
	unavailable, surge := ptr.Deref(r.MaxUnavailable, intstr.IntOrString{}), ptr.Deref(r.MaxSurge, intstr.IntOrString{})
	errs := countOrPercent(unavailable, path.Child("maxUnavailable"))
	errs = append(errs, countOrPercent(surge, path.Child("maxSurge"))...)
	if number(unavailable) == 0 && number(surge) == 0 {
		errs = append(errs, field.Invalid(path.Child("maxUnavailable"), unavailable.String(), "may not be 0 when `maxSurge` is 0"))
	}
	return append(errs, atMostAll(unavailable, path.Child("maxUnavailable"))...)
}

// atMostAll checks that a share is not more than the whole.
func atMostAll(value intstr.IntOrString, path *field.Path) field.ErrorList {
	if value.Type == intstr.Int || number(value) <= 100 {
		return nil
	}
	return field.ErrorList{field.Invalid(path, value, "must not be greater than 100%")}
}

func countOrPercent(value intstr.IntOrString, path *field.Path) field.ErrorList {
	if value.Type == intstr.Int {
		return nonNegative(path, &value.IntVal)
	}
	return invalid(path, value.StrVal, validation.IsValidPercent(value.StrVal))
}

// number is the pods, or the percent, that a value says.
func number(value intstr.IntOrString) int {
	if value.Type == intstr.Int {
		return int(value.IntVal)
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(value.StrVal, "%")) // what is no number is reported elsewhere
	return n
}

func validateDeploymentStatus(updated, old *appsv1.Deployment) field.ErrorList {
	path, s := field.NewPath("status"), updated.Status
	errs := nonNegative(path.Child("observedGeneration"), &s.ObservedGeneration)
	errs = append(errs, nonNegative(path.Child("unavailableReplicas"), &s.UnavailableReplicas)...)
	errs = append(errs, validateCounts(path, s.Replicas,
		replicaCount{"readyReplicas", s.ReadyReplicas}, replicaCount{"availableReplicas", s.AvailableReplicas},
		replicaCount{"updatedReplicas", s.UpdatedReplicas})...)
	errs = append(errs, nonNegative(path.Child("collisionCount"), s.CollisionCount)...)
	return append(errs, notDecremented(s.CollisionCount, old.Status.CollisionCount, path.Child("collisionCount"))...)
}
