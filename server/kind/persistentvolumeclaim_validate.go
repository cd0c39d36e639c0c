package kind

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validatePersistentVolumeClaim(pvc *corev1.PersistentVolumeClaim) field.ErrorList {
	return validateClaimSpec(&pvc.Spec, field.NewPath("spec"))
}

// validateClaimSpec checks what a claim, or a template of claims, asks for.
func validateClaimSpec(s *corev1.PersistentVolumeClaimSpec, path *field.Path) field.ErrorList {
	errs := validateAccessModes(s.AccessModes, "at least 1 access mode is required", path.Child("accessModes"))
	if s.Selector != nil {
		errs = append(errs, labelSelector(path.Child("selector"), s.Selector)...)
	}
	errs = append(errs, validateClaimSize(s.Resources.Requests, path.Child("resources").Key(string(corev1.ResourceStorage)))...)
	errs = append(errs, maybeNamed(path.Child("storageClassName"), ptr.Deref(s.StorageClassName, ""), validation.IsDNS1123Subdomain)...)
	errs = append(errs, maybeOneOf(path.Child("volumeMode"), s.VolumeMode, corev1.PersistentVolumeBlock, corev1.PersistentVolumeFilesystem)...)
	errs = append(errs, validateDataSources(s, path)...)
	return append(errs, maybeNamed(path.Child("volumeAttributesClassName"), ptr.Deref(s.VolumeAttributesClassName, ""), validation.IsDNS1123Subdomain)...)
}

func validateClaimSize(requests corev1.ResourceList, path *field.Path) field.ErrorList {
	size, ok := requests[corev1.ResourceStorage]
	if !ok {
		return field.ErrorList{field.Required(path, "")}
	}
	return positive(size, path)
}

// validateClaimTemplate checks the claim that a pod makes for itself: a spec, labels and annotations, nothing else.
func validateClaimTemplate(t *corev1.PersistentVolumeClaimTemplate, path *field.Path) field.ErrorList {
	errs := validateTemplateMeta(&t.ObjectMeta, path.Child("metadata"))
	return append(errs, validateClaimSpec(&t.Spec, path.Child("spec"))...)
}

func validatePersistentVolumeClaimStatus(updated, _ *corev1.PersistentVolumeClaim) field.ErrorList {
	var errs field.ErrorList
	if len(updated.Spec.AccessModes) == 0 {
		errs = append(errs, field.Required(field.NewPath("Spec", "accessModes"), ""))
	}
	path := field.NewPath("status")
	s := &updated.Status
	for _, name := range slices.Sorted(maps.Keys(s.Capacity)) {
		errs = append(errs, notNegative(s.Capacity[name], path.Child("capacity").Key(string(name)))...)
	}
	if s.HealthStatus != nil {
		errs = append(errs, validateHealth(s.HealthStatus.HealthConditions, path.Child("healthStatus", "healthConditions"))...)
	}
	errs = append(errs, validateClaimResizes(s.AllocatedResourceStatuses, path.Child("allocatedResourceStatuses"))...)
	return append(errs, validateAllocated(s.AllocatedResources, path.Child("allocatedResources"))...)
}

func validateHealth(conditions []corev1.VolumeHealthCondition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, c := range conditions {
		errs = append(errs, maybeNamed(path.Index(i).Child("reason"), c.Reason, metav1validation.IsValidConditionReason)...)
	}
	return errs
}

// resizeStates are the states of a volume that is made larger, sorted.
var resizeStates = []corev1.ClaimResourceStatus{
	corev1.PersistentVolumeClaimControllerResizeInProgress, corev1.PersistentVolumeClaimControllerResizeInfeasible,
	corev1.PersistentVolumeClaimNodeResizeInProgress, corev1.PersistentVolumeClaimNodeResizeInfeasible,
	corev1.PersistentVolumeClaimNodeResizePending,
}

func validateClaimResizes(states map[corev1.ResourceName]corev1.ClaimResourceStatus, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(states)) {
		errs = append(errs, validateClaimResource(name, path)...)
		if !slices.Contains(resizeStates, states[name]) {
			errs = append(errs, field.NotSupported(path, name, resizeStates))
		}
	}
	return errs
}

func validateAllocated(list corev1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if wrong := validateClaimResource(name, path); len(wrong) > 0 {
			errs = append(errs, wrong...)
			continue
		}
		errs = append(errs, notNegative(list[name], path.Key(string(name)))...)
	}
	return errs
}

// validateClaimResource checks the name of what a claim has: of Kubernetes' own there is only storage.
func validateClaimResource(name corev1.ResourceName, path *field.Path) field.ErrorList {
	errs := invalid(path, string(name), validation.IsQualifiedName(string(name)))
	if len(errs) > 0 || !native(name) || name == corev1.ResourceStorage {
		return errs
	}
	return field.ErrorList{field.NotSupported(path, string(name), []corev1.ResourceName{corev1.ResourceStorage})}
}

func persistentVolumeClaimWarnings(pvc *corev1.PersistentVolumeClaim) []string {
	var warnings []string
	if _, ok := pvc.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		warnings = append(warnings, fmt.Sprintf("%s: deprecated since v1.8; use \"storageClassName\" attribute instead",
			field.NewPath("metadata", "annotations").Key(corev1.BetaStorageClassAnnotation)))
	}
	return append(warnings, claimSpecWarnings(&pvc.Spec, field.NewPath("spec"))...)
}

// claimSpecWarnings tells of parts of a byte: "100m" of storage is most likely meant to be "100M".
func claimSpecWarnings(s *corev1.PersistentVolumeClaimSpec, path *field.Path) []string {
	var warnings []string
	for _, l := range []struct {
		field string
		list  corev1.ResourceList
	}{{"requests", s.Resources.Requests}, {"limits", s.Resources.Limits}} {
		if q, ok := l.list[corev1.ResourceStorage]; ok && q.MilliValue()%1000 != 0 {
			warnings = append(warnings, fmt.Sprintf("%s: fractional byte value %q is invalid, must be an integer",
				path.Child("resources", l.field).Key(string(corev1.ResourceStorage)), q.String()))
		}
	}
	return warnings
}
