package kind

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// changeable are the fields of a pod's spec that an update may change, as users are told.
var changeable = strings.Join([]string{
	"`spec.containers[*].image`",
	"`spec.initContainers[*].image`",
	"`spec.activeDeadlineSeconds`",
	"`spec.tolerations` (only additions to existing tolerations)",
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
}, ",")

// validatePodUpdate lets little of a pod's spec change: what runs is not made anew.
func validatePodUpdate(updated, old *corev1.Pod) field.ErrorList {
	path := field.NewPath("spec")
	if len(updated.Spec.Containers) != len(old.Spec.Containers) {
		return field.ErrorList{field.Forbidden(path.Child("containers"), "pod updates may not add or remove containers")}
	}
	if len(updated.Spec.InitContainers) != len(old.Spec.InitContainers) {
		return field.ErrorList{field.Forbidden(path.Child("initContainers"), "pod updates may not add or remove containers")}
	}
	errs := deadlineUpdate(updated.Spec.ActiveDeadlineSeconds, old.Spec.ActiveDeadlineSeconds, path.Child("activeDeadlineSeconds"))
	if len(errs) > 0 {
		return errs
	}
	errs = append(errs, tolerationsUpdate(updated.Spec.Tolerations, old.Spec.Tolerations, path.Child("tolerations"))...)
	errs = append(errs, gatesUpdate(updated.Spec.SchedulingGates, old.Spec.SchedulingGates, path.Child("schedulingGates"))...)

	rest := unchangeable(&updated.Spec, &old.Spec)
	if !equality.Semantic.DeepEqual(rest, &old.Spec) {
		errs = append(errs, field.Forbidden(path, fmt.Sprintf("pod updates may not change fields other than %s\n%v", changeable, diff.Diff(&old.Spec, rest))))
	}
	return errs
}

// unchangeable is the updated spec with the old one's values where a change is allowed: it must equal the old one.
func unchangeable(updated, old *corev1.PodSpec) *corev1.PodSpec {
	rest := updated.DeepCopy()
	for i := range rest.Containers {
		rest.Containers[i].Image = old.Containers[i].Image
	}
	for i := range rest.InitContainers {
		rest.InitContainers[i].Image = old.InitContainers[i].Image
	}
	rest.ActiveDeadlineSeconds = old.ActiveDeadlineSeconds
	rest.Tolerations = old.Tolerations
	rest.SchedulingGates = old.SchedulingGates
	if g, was := rest.TerminationGracePeriodSeconds, old.TerminationGracePeriodSeconds; g != nil && *g == 1 && was != nil && *was < 0 {
		rest.TerminationGracePeriodSeconds = was
	}
	if len(old.SchedulingGates) > 0 { // not scheduled yet: where it may run can still be narrowed
		if contains(rest.NodeSelector, old.NodeSelector) {
			rest.NodeSelector = old.NodeSelector
		}
		rest.Affinity = withoutNew(rest.Affinity, old.Affinity)
	}
	return rest
}

// withoutNew takes out a node affinity where there was none.
func withoutNew(updated, old *corev1.Affinity) *corev1.Affinity {
	if updated == nil || (old != nil && old.NodeAffinity != nil) {
		return updated
	}
	updated.NodeAffinity = nil
	if old == nil && *updated == (corev1.Affinity{}) {
		return nil
	}
	return updated
}

// contains tells whether all has each of some.
func contains(all, some map[string]string) bool {
	for key, want := range some {
		if value, ok := all[key]; !ok || value != want {
			return false
		}
	}
	return true
}

func deadlineUpdate(updated, old *int64, path *field.Path) field.ErrorList {
	switch {
	case old == nil:
		return nil
	case updated == nil:
		return field.ErrorList{field.Invalid(path, updated, "must not update from a positive integer to nil value")}
	case *updated > *old:
		return field.ErrorList{field.Invalid(path, *updated, "must be less than or equal to previous value")}
	default:
		return nil
	}
}

// tolerationsUpdate lets tolerations be added, and the time of one that is there be changed.
func tolerationsUpdate(updated, old []corev1.Toleration, path *field.Path) field.ErrorList {
	for _, was := range old {
		was.TolerationSeconds = nil
		kept := false
		for _, is := range updated {
			is.TolerationSeconds = nil
			kept = kept || is == was
		}
		if !kept {
			return field.ErrorList{field.Forbidden(path, "existing toleration can not be modified except its tolerationSeconds")}
		}
	}
	return nil
}

// gatesUpdate lets gates be removed only.
func gatesUpdate(updated, old []corev1.PodSchedulingGate, path *field.Path) field.ErrorList {
	known := map[string]bool{}
	for _, gate := range old {
		known[gate.Name] = true
	}
	var errs field.ErrorList
	for _, gate := range updated {
		if !known[gate.Name] {
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("only deletion is allowed, but found new scheduling gate '%s'", gate.Name)))
		}
	}
	return errs
}

// validatePodStatus checks what an agent reports.
func validatePodStatus(updated, old *corev1.Pod) field.ErrorList {
	path := field.NewPath("status")
	errs := validatePodConditions(updated.Status.Conditions, path.Child("conditions"))
	if g := updated.Status.ObservedGeneration; g < 0 {
		errs = append(errs, field.Invalid(path.Child("observedGeneration"), g, "must be a non-negative integer"))
	}
	errs = append(errs, apivalidation.ValidateImmutableField(updated.Status.QOSClass, old.Status.QOSClass, path.Child("qosClass"))...)
	errs = append(errs, maybeNamed(path.Child("nominatedNodeName"), updated.Status.NominatedNodeName, validation.IsDNS1123Subdomain)...)
	for i, ip := range updated.Status.PodIPs {
		errs = append(errs, validation.IsValidIPForLegacyField(path.Child("podIPs").Index(i), ip.IP, false, nil)...)
	}
	for i, ip := range updated.Status.HostIPs {
		errs = append(errs, validation.IsValidIPForLegacyField(path.Child("hostIPs").Index(i), ip.IP, false, nil)...)
	}
	if len(updated.Status.PodIPs) > 2 {
		errs = append(errs, field.Invalid(path.Child("podIPs"), updated.Status.PodIPs, "may specify no more than one IP for each IP family"))
	}
	return errs
}

func validatePodConditions(conditions []corev1.PodCondition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, c := range conditions {
		if c.ObservedGeneration < 0 {
			errs = append(errs, field.Invalid(path.Index(i).Child("observedGeneration"), c.ObservedGeneration, "must be a non-negative integer"))
		}
		errs = append(errs, invalid(path.Index(i).Child("Type"), string(c.Type), validation.IsQualifiedName(string(c.Type)))...)
	}
	return errs
}
