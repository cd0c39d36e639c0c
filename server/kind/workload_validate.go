package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateSelector checks that a workload's selector selects something.
func validateSelector(selector *metav1.LabelSelector, workload string, path *field.Path) field.ErrorList {
	if selector == nil {
		return field.ErrorList{field.Required(path, "")}
	}
	errs := labelSelector(path, selector)
	if len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		errs = append(errs, field.Invalid(path, selector, "empty selector is invalid for "+workload))
	}
	return errs
}

// validateWorkloadTemplate checks the pods that a workload makes: that it finds them again, and that they run on.
func validateWorkloadTemplate(t *corev1.PodTemplateSpec, selector *metav1.LabelSelector, path *field.Path) field.ErrorList {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return field.ErrorList{field.Invalid(path.Root().Child("selector"), selector, "invalid label selector")}
	}
	var errs field.ErrorList
	if !parsed.Empty() && !parsed.Matches(labels.Set(t.Labels)) {
		errs = append(errs, field.Invalid(path.Child("metadata", "labels"), t.Labels, "`selector` does not match template `labels`"))
	}
	errs = append(errs, validatePodTemplate(t, path)...)
	if p := t.Spec.RestartPolicy; p != "" && p != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(path.Child("spec", "restartPolicy"), p, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if t.Spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(path.Child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in ReplicaSet is not Supported"))
	}
	return errs
}

// replicaCounts checks the numbers of pods that a workload reports.
func replicaCounts(path *field.Path, counts ...replicaCount) field.ErrorList {
	var errs field.ErrorList
	for _, c := range counts {
		errs = append(errs, nonNegative(path.Child(c.field), &c.count)...)
	}
	return errs
}

type replicaCount struct {
	field string
	count int32
}

// atMost checks that a number of pods is part of a larger one.
func atMost(path *field.Path, part, whole replicaCount, message string) field.ErrorList {
	if part.count <= whole.count {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child(part.field), part.count, message)}
}
