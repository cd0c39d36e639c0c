package kind

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateJobUpdate(updated, old *batchv1.Job) field.ErrorList {
	path, is, was := field.NewPath("spec"), &updated.Spec, &old.Spec
	errs := validateCompletionsUpdate(is, was, path.Child("completions"))
	kept := func(name string, is, was any) {
		errs = append(errs, apivalidation.ValidateImmutableField(is, was, path.Child(name))...)
	}
	kept("selector", is.Selector, was.Selector)
	errs = append(errs, validateJobTemplateUpdate(updated, old, path.Child("template"))...)
	kept("completionMode", is.CompletionMode, was.CompletionMode)
	kept("podFailurePolicy", is.PodFailurePolicy, was.PodFailurePolicy)
	kept("backoffLimitPerIndex", is.BackoffLimitPerIndex, was.BackoffLimitPerIndex)
	kept("managedBy", is.ManagedBy, was.ManagedBy)
	kept("successPolicy", is.SuccessPolicy, was.SuccessPolicy)
	return errs
}

// validateCompletionsUpdate lets indexed jobs alone change their size, and only together with their parallelism.
func validateCompletionsUpdate(is, was *batchv1.JobSpec, path *field.Path) field.ErrorList {
	switch {
	case !isIndexed(is):
		return apivalidation.ValidateImmutableField(is.Completions, was.Completions, path)
	case is.Completions == nil, equality.Semantic.DeepEqual(is.Completions, was.Completions):
		return nil
	case *is.Completions != ptr.Deref(is.Parallelism, 0):
		return field.ErrorList{field.Invalid(path, *is.Completions, "can only be modified in tandem with "+path.Root().Child("parallelism").String())}
	}
	return nil
}

// validateJobTemplateUpdate lets a job change while it is suspended and has no pods: where they go, and what they need.
func validateJobTemplateUpdate(updated, old *batchv1.Job, path *field.Path) field.ErrorList {
	resting := ptr.Deref(old.Spec.Suspend, false) && old.Status.Active == 0 &&
		(old.Status.StartTime == nil || jobCondition(old, batchv1.JobSuspended))
	is, was := &updated.Spec.Template, &old.Spec.Template
	if !resting {
		return apivalidation.ValidateImmutableField(is, was, path)
	}
	was = was.DeepCopy()
	allowPlacement(is, was)
	allowResources(is.Spec.Containers, was.Spec.Containers)
	allowResources(is.Spec.InitContainers, was.Spec.InitContainers)
	return apivalidation.ValidateImmutableField(is.Spec, was.Spec, field.NewPath(path.String()+".spec"))
}

// allowPlacement gives a copy of the old template what the new one says of where its pods go.
func allowPlacement(is, was *corev1.PodTemplateSpec) {
	switch before, after := was.Spec.Affinity, is.Spec.Affinity; {
	case before != nil && after == nil:
		if before.NodeAffinity = nil; *before == (corev1.Affinity{}) {
			was.Spec.Affinity = nil
		}
	case before == nil && after != nil:
		was.Spec.Affinity = &corev1.Affinity{NodeAffinity: after.NodeAffinity}
	case before != nil:
		before.NodeAffinity = after.NodeAffinity
	}
	was.Spec.NodeSelector, was.Spec.Tolerations, was.Spec.SchedulingGates = is.Spec.NodeSelector, is.Spec.Tolerations, is.Spec.SchedulingGates
}

func allowResources(is, was []corev1.Container) {
	if len(is) != len(was) {
		return
	}
	for i := range is {
		if is[i].Name == was[i].Name {
			was[i].Resources = is[i].Resources
		}
	}
}
