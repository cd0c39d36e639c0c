package kind

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/indexes"
)

const (
	maxFailureRules      = 20
	maxFailureCodes      = 255
	maxFailureConditions = 20
	maxSuccessRules      = 20
	maxSuccessIndexes    = 64 * 1024
)

var failureActions = []batchv1.PodFailurePolicyAction{
	batchv1.PodFailurePolicyActionCount, batchv1.PodFailurePolicyActionFailIndex,
	batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionIgnore,
}

func validatePodFailurePolicy(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	rules := s.PodFailurePolicy.Rules
	if len(rules) > maxFailureRules {
		errs = append(errs, field.TooMany(path, len(rules), maxFailureRules))
	}
	var containerNames []string
	for c := range containers(&s.Template.Spec) {
		containerNames = append(containerNames, c.Name)
	}
	for i := range rules {
		rule, at := &rules[i], path.Index(i)
		errs = append(errs, validateFailureAction(rule.Action, s.BackoffLimitPerIndex != nil, at.Child("action"))...)
		if rule.OnExitCodes != nil {
			errs = append(errs, validateFailureCodes(rule.OnExitCodes, containerNames, at.Child("onExitCodes"))...)
		}
		errs = append(errs, validateFailureConditions(rule.OnPodConditions, at.Child("onPodConditions"))...)
		switch codes, conditions := rule.OnExitCodes != nil, len(rule.OnPodConditions) > 0; {
		case codes && conditions:
			errs = append(errs, field.Invalid(at, field.OmitValueType{}, "specifying both OnExitCodes and OnPodConditions is not supported"))
		case !codes && !conditions:
			errs = append(errs, field.Invalid(at, field.OmitValueType{}, "specifying one of OnExitCodes and OnPodConditions is required"))
		}
	}
	return errs
}

func validateFailureAction(action batchv1.PodFailurePolicyAction, perIndex bool, path *field.Path) field.ErrorList {
	switch {
	case action == "":
		return field.ErrorList{field.Required(path, fmt.Sprintf("valid values: %q", failureActions))}
	case action == batchv1.PodFailurePolicyActionFailIndex && !perIndex:
		return field.ErrorList{field.Invalid(path, action, "requires the backoffLimitPerIndex to be set")}
	}
	return maybeOneOf(path, &action, failureActions...)
}

func validateFailureCodes(r *batchv1.PodFailurePolicyOnExitCodesRequirement, containerNames []string, path *field.Path) field.ErrorList {
	operators := []batchv1.PodFailurePolicyOnExitCodesOperator{batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn}
	var errs field.ErrorList
	if r.Operator == "" {
		errs = append(errs, field.Required(path.Child("operator"), fmt.Sprintf("valid values: %q", operators)))
	} else {
		errs = append(errs, maybeOneOf(path.Child("operator"), &r.Operator, operators...)...)
	}
	if r.ContainerName != nil && !slices.Contains(containerNames, *r.ContainerName) {
		errs = append(errs, field.Invalid(path.Child("containerName"), *r.ContainerName, "must be one of the container or initContainer names in the pod template"))
	}
	values := path.Child("values")
	switch n := len(r.Values); {
	case n == 0:
		errs = append(errs, field.Invalid(values, r.Values, "at least one value is required"))
	case n > maxFailureCodes:
		errs = append(errs, field.TooMany(values, n, maxFailureCodes))
	}
	seen := unique[int32]{}
	for i, code := range r.Values {
		if code == 0 && r.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn {
			errs = append(errs, field.Invalid(values.Index(i), code, "must not be 0 for the In operator"))
		}
		errs = append(errs, seen.check(values.Index(i), code, code)...)
	}
	if !slices.IsSorted(r.Values) {
		errs = append(errs, field.Invalid(values, r.Values, "must be ordered"))
	}
	return errs
}

func validateFailureConditions(patterns []batchv1.PodFailurePolicyOnPodConditionsPattern, path *field.Path) field.ErrorList {
	statuses := []corev1.ConditionStatus{corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown}
	var errs field.ErrorList
	if len(patterns) > maxFailureConditions {
		errs = append(errs, field.TooMany(path, len(patterns), maxFailureConditions))
	}
	for i, p := range patterns {
		at := path.Index(i)
		errs = append(errs, invalid(at.Child("type"), string(p.Type), validation.IsQualifiedName(string(p.Type)))...)
		if p.Status == "" {
			errs = append(errs, field.Required(at.Child("status"), fmt.Sprintf("valid values: %q", statuses)))
		} else {
			errs = append(errs, maybeOneOf(at.Child("status"), &p.Status, statuses...)...)
		}
	}
	return errs
}

func validateSuccessPolicy(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	if !isIndexed(s) {
		return field.ErrorList{field.Invalid(path, *s.SuccessPolicy, "requires indexed completion mode")}
	}
	var errs field.ErrorList
	rules, at := s.SuccessPolicy.Rules, path.Child("rules")
	if len(rules) == 0 {
		errs = append(errs, field.Required(at, "at least one rules must be specified when the successPolicy is specified"))
	}
	if len(rules) > maxSuccessRules {
		errs = append(errs, field.TooMany(at, len(rules), maxSuccessRules))
	}
	if s.Completions == nil { // which is told already
		return errs
	}
	for i := range rules {
		errs = append(errs, validateSuccessRule(&rules[i], *s.Completions, at.Index(i))...)
	}
	return errs
}

func validateSuccessRule(r *batchv1.SuccessPolicyRule, completions int32, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if r.SucceededCount == nil && r.SucceededIndexes == nil {
		errs = append(errs, field.Required(path, "at least one of succeededCount or succeededIndexes must be specified"))
	}
	var named int32
	if r.SucceededIndexes != nil {
		at := path.Child("succeededIndexes")
		if len(*r.SucceededIndexes) > maxSuccessIndexes {
			errs = append(errs, field.TooLong(at, "", maxSuccessIndexes))
		}
		set, err := indexes.Parse(*r.SucceededIndexes, completions)
		if err != nil {
			errs = append(errs, field.Invalid(at, *r.SucceededIndexes, fmt.Sprintf("error parsing succeededIndexes: %s", err)))
		}
		named = set.Len()
	}
	if n := r.SucceededCount; n != nil {
		at := path.Child("succeededCount")
		errs = append(errs, nonNegative(at, n)...)
		if *n > completions {
			errs = append(errs, field.Invalid(at, *n, fmt.Sprintf("must be less than or equal to %d (the number of specified completions)", completions)))
		}
		if r.SucceededIndexes != nil && *n > named {
			errs = append(errs, field.Invalid(at, *n, fmt.Sprintf("must be less than or equal to %d (the number of indexes in the specified succeededIndexes field)", named)))
		}
	}
	return errs
}
