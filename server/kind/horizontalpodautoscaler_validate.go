package kind

import (
	"errors"
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// How long autoscalers look back at most, in seconds.
const (
	maxScalingPeriod = 1800
	maxStabilization = 3600
)

func validateAutoscaler(a *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	path, s := field.NewPath("spec"), &a.Spec
	errs := nonNegative(path.Child("minReplicas"), s.MinReplicas)
	most := path.Child("maxReplicas")
	switch {
	case s.MaxReplicas == 0:
		errs = append(errs, field.Required(most, "must be set and greater than 0"))
	case s.MaxReplicas < 0:
		errs = append(errs, field.Invalid(most, s.MaxReplicas, "must be greater than or equal to 1").WithOrigin("minimum"))
	}
	if s.MinReplicas != nil && s.MaxReplicas < *s.MinReplicas {
		errs = append(errs, field.Invalid(most, s.MaxReplicas, "must be greater than or equal to `minReplicas`"))
	}
	errs = append(errs, validateReference(s.ScaleTargetRef, path.Child("scaleTargetRef"))...)
	errs = append(errs, validateMetrics(s, path.Child("metrics"))...)
	if b := s.Behavior; b != nil {
		errs = append(errs, validateScaling(b.ScaleUp, path.Child("behavior", "scaleUp"))...)
		errs = append(errs, validateScaling(b.ScaleDown, path.Child("behavior", "scaleDown"))...)
	}
	return errs
}

// validateNewAutoscaler checks what old autoscalers may have wrong: where objects are served.
func validateNewAutoscaler(a *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	return append(validateTargetVersion(a), validateObjectVersions(a)...)
}

func validateAutoscalerUpdate(updated, old *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	var errs field.ErrorList
	is, was := updated.Spec.ScaleTargetRef, old.Spec.ScaleTargetRef
	if is.APIVersion != was.APIVersion || is.Kind != was.Kind {
		errs = validateTargetVersion(updated)
	}
	if len(validateObjectVersions(old)) > 0 {
		return errs
	}
	return append(errs, validateObjectVersions(updated)...)
}

// validateTargetVersion lets only the one scalable kind of the core group do without a group.
func validateTargetVersion(a *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	ref := a.Spec.ScaleTargetRef
	return validateVersion(ref, ref.Kind == "ReplicationController", field.NewPath("spec", "scaleTargetRef"))
}

func validateObjectVersions(a *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	var errs field.ErrorList
	for i, m := range a.Spec.Metrics {
		if m.Object != nil {
			errs = append(errs, validateVersion(m.Object.DescribedObject, true, field.NewPath("spec", "metrics").Index(i).Child("object", "describedObject"))...)
		}
	}
	return errs
}

func validateVersion(ref autoscalingv2.CrossVersionObjectReference, core bool, path *field.Path) field.ErrorList {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err == nil && gv.Group == "" && !core {
		err = errors.New("apiVersion must specify API group")
	}
	if err == nil {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("apiVersion"), ref.APIVersion, err.Error())}
}

// validateReference checks what names an object of whatever kind.
func validateReference(ref autoscalingv2.CrossVersionObjectReference, path *field.Path) field.ErrorList {
	segment := func(name string) []string { return pathSegment(name, false) }
	return append(named(path.Child("kind"), ref.Kind, segment), named(path.Child("name"), ref.Name, segment)...)
}

func validateScaling(r *autoscalingv2.HPAScalingRules, path *field.Path) field.ErrorList {
	if r == nil {
		return nil
	}
	var errs field.ErrorList
	if w := r.StabilizationWindowSeconds; w != nil {
		at := path.Child("stabilizationWindowSeconds")
		if *w < 0 {
			errs = append(errs, field.Invalid(at, *w, "must be greater than or equal to zero"))
		}
		if *w > maxStabilization {
			errs = append(errs, field.Invalid(at, *w, fmt.Sprintf("must be less than or equal to %v", maxStabilization)))
		}
	}
	errs = append(errs, maybeOneOf(path.Child("selectPolicy"), r.SelectPolicy,
		autoscalingv2.DisabledPolicySelect, autoscalingv2.MaxChangePolicySelect, autoscalingv2.MinChangePolicySelect)...)
	if len(r.Policies) == 0 {
		errs = append(errs, field.Required(path.Child("policies"), "must specify at least one Policy"))
	}
	for i, p := range r.Policies {
		errs = append(errs, validateScalingPolicy(p, path.Child("policies").Index(i))...)
	}
	if q := r.Tolerance; q != nil && q.Sign() < 0 {
		errs = append(errs, field.Invalid(path.Child("tolerance"), q.String(), "must be greater than or equal to 0").WithOrigin("minimum"))
	}
	return errs
}

func validateScalingPolicy(p autoscalingv2.HPAScalingPolicy, path *field.Path) field.ErrorList {
	errs := maybeOneOf(path.Child("type"), &p.Type, autoscalingv2.PercentScalingPolicy, autoscalingv2.PodsScalingPolicy)
	if p.Value <= 0 {
		errs = append(errs, field.Invalid(path.Child("value"), p.Value, "must be greater than zero"))
	}
	switch at := path.Child("periodSeconds"); {
	case p.PeriodSeconds <= 0:
		errs = append(errs, field.Invalid(at, p.PeriodSeconds, "must be greater than zero"))
	case p.PeriodSeconds > maxScalingPeriod:
		errs = append(errs, field.Invalid(at, p.PeriodSeconds, fmt.Sprintf("must be less than or equal to %v", maxScalingPeriod)))
	}
	return errs
}

func validateAutoscalerStatus(updated, _ *autoscalingv2.HorizontalPodAutoscaler) field.ErrorList {
	path, s := field.NewPath("status"), updated.Status
	var errs field.ErrorList
	for i, c := range s.Conditions {
		errs = append(errs, nonNegative(path.Child("conditions").Index(i).Child("observedGeneration"), c.ObservedGeneration)...)
	}
	errs = append(errs, nonNegative(path.Child("currentReplicas"), &s.CurrentReplicas)...)
	return append(errs, nonNegative(path.Child("desiredReplicas"), &s.DesiredReplicas)...)
}

// lowerFirst is a type's name as its field has it: ContainerResource, containerResource.
func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
