package kind

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// Limits that keep the lists of indexes in a job's status short.
const (
	maxIndexedParallelism = 100_000
	maxFailedIndexes      = 100_000
	manyCompletions       = 100_000
	maxManyParallelism    = 10_000
	maxManyFailedIndexes  = 10_000
	maxManagedBy          = 63
)

func validateJob(j *batchv1.Job) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateOwnPods(j)
	errs = append(errs, validateJobSpec(&j.Spec, path)...)
	if j.Spec.Selector == nil {
		errs = append(errs, field.Required(path.Child("selector"), ""))
	} else {
		errs = append(errs, labelSelector(path.Child("selector"), j.Spec.Selector)...)
	}
	if s, err := metav1.LabelSelectorAsSelector(j.Spec.Selector); err == nil && !s.Matches(labels.Set(j.Spec.Template.Labels)) {
		errs = append(errs, field.Invalid(path.Child("template", "metadata", "labels"), j.Spec.Template.Labels, "`selector` does not match template `labels`"))
	}
	return append(errs, validateIndexedName(j)...)
}

// validateOwnPods checks the labels and the selector that a job was given, unless its user has chosen them. Jobs from
// before the prefixed labels do without.
func validateOwnPods(j *batchv1.Job) field.ErrorList {
	if ptr.Deref(j.Spec.ManualSelector, false) || j.Spec.Selector == nil {
		return nil
	}
	var errs field.ErrorList
	if j.UID == "" {
		errs = append(errs, field.Required(field.NewPath("metadata", "uid"), ""))
	}
	own, at := jobLabels(j), field.NewPath("spec", "template", "metadata", "labels")
	for _, name := range []string{legacyControllerUID, legacyJobName, batchv1.ControllerUidLabel, batchv1.JobNameLabel} {
		is, there := j.Spec.Template.Labels[name]
		must := fmt.Sprintf("must be '%s'", own[name])
		switch {
		case !there:
			errs = append(errs, field.Required(at.Key(name), must))
		case is != own[name]:
			errs = append(errs, field.Invalid(at.Key(name), j.Spec.Template.Labels, must))
		}
	}
	if s, err := metav1.LabelSelectorAsSelector(j.Spec.Selector); err == nil && !s.Matches(labels.Set(own)) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "selector"), j.Spec.Selector, "`selector` not auto-generated"))
	}
	return errs
}

// validateIndexedName sees to it that the last pod's host can be called after the job.
func validateIndexedName(j *batchv1.Job) field.ErrorList {
	if !isIndexed(&j.Spec) || ptr.Deref(j.Spec.Completions, 0) <= 0 {
		return nil
	}
	last := fmt.Sprintf("%s-%d", j.Name, *j.Spec.Completions-1)
	if len(validation.IsDNS1123Label(last)) == 0 {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("metadata", "name"), j.Name, "will not able to create pod with invalid DNS label: "+last)}
}

func isIndexed(s *batchv1.JobSpec) bool {
	return ptr.Deref(s.CompletionMode, batchv1.NonIndexedCompletion) == batchv1.IndexedCompletion
}

// validateJobSpec checks what holds of a CronJob's jobs too, which have no selector yet.
func validateJobSpec(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := nonNegative(path.Child("parallelism"), s.Parallelism)
	errs = append(errs, nonNegative(path.Child("completions"), s.Completions)...)
	errs = append(errs, nonNegative(path.Child("activeDeadlineSeconds"), s.ActiveDeadlineSeconds)...)
	errs = append(errs, nonNegative(path.Child("backoffLimit"), s.BackoffLimit)...)
	errs = append(errs, nonNegative(path.Child("ttlSecondsAfterFinished"), s.TTLSecondsAfterFinished)...)
	errs = append(errs, nonNegative(path.Child("backoffLimitPerIndex"), s.BackoffLimitPerIndex)...)
	errs = append(errs, nonNegative(path.Child("maxFailedIndexes"), s.MaxFailedIndexes)...)
	if s.MaxFailedIndexes != nil && s.BackoffLimitPerIndex == nil {
		errs = append(errs, field.Required(path.Child("backoffLimitPerIndex"), "when maxFailedIndexes is specified").WithOrigin("dependentRequired"))
	}
	if by := s.ManagedBy; by != nil {
		at := path.Child("managedBy")
		errs = append(errs, validation.IsDomainPrefixedPath(at, *by)...)
		if len(*by) > maxManagedBy {
			errs = append(errs, field.TooLong(at, "", maxManagedBy))
		}
	}
	errs = append(errs, validateCompletionMode(s, path)...)
	if s.PodFailurePolicy != nil {
		errs = append(errs, validatePodFailurePolicy(s, path.Child("podFailurePolicy", "rules"))...)
	}
	if s.SuccessPolicy != nil {
		errs = append(errs, validateSuccessPolicy(s, path.Child("successPolicy"))...)
	}
	if s.PodFailurePolicy != nil {
		errs = append(errs, maybeOneOf(path.Child("podReplacementPolicy"), s.PodReplacementPolicy, batchv1.Failed)...)
	} else {
		errs = append(errs, maybeOneOf(path.Child("podReplacementPolicy"), s.PodReplacementPolicy, batchv1.Failed, batchv1.TerminatingOrFailed)...)
	}
	errs = append(errs, validatePodTemplate(&s.Template, path.Child("template"))...)
	return append(errs, validateJobRestarts(s, path.Child("template", "spec", "restartPolicy"))...)
}

func validateJobRestarts(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	switch p := s.Template.Spec.RestartPolicy; {
	case p == corev1.RestartPolicyAlways, p == "":
		return field.ErrorList{field.Required(path, fmt.Sprintf("valid values: %q, %q", corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever))}
	case p != corev1.RestartPolicyOnFailure && p != corev1.RestartPolicyNever:
		return field.ErrorList{field.NotSupported(path, p, []corev1.RestartPolicy{corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever})}
	case s.PodFailurePolicy != nil && p != corev1.RestartPolicyNever:
		return field.ErrorList{field.Invalid(path, p, fmt.Sprintf("only %q is supported when podFailurePolicy is specified", corev1.RestartPolicyNever))}
	}
	return nil
}

func validateCompletionMode(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	errs := maybeOneOf(path.Child("completionMode"), s.CompletionMode, batchv1.NonIndexedCompletion, batchv1.IndexedCompletion)
	switch mode := ptr.Deref(s.CompletionMode, batchv1.NonIndexedCompletion); mode {
	case batchv1.IndexedCompletion:
		return append(errs, validateIndexed(s, path)...)
	case batchv1.NonIndexedCompletion:
		const needs = "requires indexed completion mode"
		if s.BackoffLimitPerIndex != nil {
			errs = append(errs, field.Invalid(path.Child("backoffLimitPerIndex"), *s.BackoffLimitPerIndex, needs))
		}
		if s.MaxFailedIndexes != nil {
			errs = append(errs, field.Invalid(path.Child("maxFailedIndexes"), *s.MaxFailedIndexes, needs))
		}
	}
	return errs
}

func validateIndexed(s *batchv1.JobSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	parallel, failed := path.Child("parallelism"), path.Child("maxFailedIndexes")
	above := func(at *field.Path, n *int32, limit int32, when string) {
		if n != nil && *n > limit {
			errs = append(errs, field.Invalid(at, *n, fmt.Sprintf("must be less than or equal to %d%s", limit, when)))
		}
	}
	if s.Completions == nil {
		errs = append(errs, field.Required(path.Child("completions"), fmt.Sprintf("when completion mode is %s", batchv1.IndexedCompletion)))
	}
	above(parallel, s.Parallelism, maxIndexedParallelism, fmt.Sprintf(" when completion mode is %s", batchv1.IndexedCompletion))
	if s.Completions != nil && s.MaxFailedIndexes != nil && *s.MaxFailedIndexes > *s.Completions {
		errs = append(errs, field.Invalid(failed, *s.MaxFailedIndexes, "must be less than or equal to completions"))
	}
	above(failed, s.MaxFailedIndexes, maxFailedIndexes, "")
	if ptr.Deref(s.Completions, 0) <= manyCompletions || s.BackoffLimitPerIndex == nil {
		return errs
	}
	if s.MaxFailedIndexes == nil {
		errs = append(errs, field.Required(failed, fmt.Sprintf("must be specified when completions is above %d", manyCompletions)))
	}
	many := fmt.Sprintf(" when completions are above %d and used with backoff limit per index", manyCompletions)
	above(parallel, s.Parallelism, maxManyParallelism, many)
	above(failed, s.MaxFailedIndexes, maxManyFailedIndexes, many)
	return errs
}

func jobWarnings(s *batchv1.JobSpec, path *field.Path) []string {
	var warnings []string
	if isIndexed(s) && ptr.Deref(s.Completions, 0) > manyCompletions && ptr.Deref(s.Parallelism, 0) > maxManyParallelism {
		warnings = append(warnings, fmt.Sprintf("%s: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail", path))
	}
	return append(warnings, podSpecWarnings(&s.Template.ObjectMeta, &s.Template.Spec, path.Child("template"))...)
}
