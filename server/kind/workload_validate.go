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
// workload is its kind, as messages name it.
func validateWorkloadTemplate(t *corev1.PodTemplateSpec, selector *metav1.LabelSelector, workload string, path *field.Path) field.ErrorList {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return field.ErrorList{field.Invalid(path.Root().Child("selector"), selector, "invalid label selector")}
	}
	var errs field.ErrorList
	if !parsed.Empty() && !parsed.Matches(labels.Set(t.Labels)) {
		errs = append(errs, field.Invalid(path.Child("metadata", "labels"), t.Labels, "`selector` does not match template `labels`"))
	}
	errs = append(errs, validatePodTemplate(t, path)...)
	return append(errs, runsOn(t, workload, path)...)
}

// runsOn checks that a template's pods are started again, and are not ended by a clock.
func runsOn(t *corev1.PodTemplateSpec, workload string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p := t.Spec.RestartPolicy; p != "" && p != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(path.Child("spec", "restartPolicy"), p, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if t.Spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(path.Child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in "+workload+" is not Supported"))
	}
	return errs
}

// replicaCount is a number of pods that a workload reports.
type replicaCount struct {
	field string
	count int32
}

// validateCounts checks that the pods of each sort are among all, and the available ones among the ready.
func validateCounts(path *field.Path, total int32, ready, available replicaCount, others ...replicaCount) field.ErrorList {
	all := replicaCount{"replicas", total}
	parts := append(others, ready, available)
	errs := all.nonNegative(path)
	for _, part := range parts {
		errs = append(errs, part.nonNegative(path)...)
	}
	for _, part := range parts {
		errs = append(errs, part.among(all, path, "cannot be greater than status.replicas")...)
	}
	return append(errs, available.among(ready, path, "cannot be greater than readyReplicas")...)
}

func (c replicaCount) nonNegative(path *field.Path) field.ErrorList {
	return nonNegative(path.Child(c.field), &c.count)
}

func (c replicaCount) among(whole replicaCount, path *field.Path, message string) field.ErrorList {
	if c.count <= whole.count {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child(c.field), c.count, message)}
}
