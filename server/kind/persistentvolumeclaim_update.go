package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validatePersistentVolumeClaimUpdate lets a claim be given its volume, and a bound one grow: quotas and limits were
// checked when it was made.
func validatePersistentVolumeClaimUpdate(updated, old *corev1.PersistentVolumeClaim) field.ErrorList {
	var errs field.ErrorList
	rest, was := updated.Spec.DeepCopy(), old.Spec.DeepCopy()
	alikeDataSources(was)
	if was.VolumeName == "" {
		was.VolumeName = rest.VolumeName
	}
	if classFromAnnotation(updated, old) || classFromNil(updated, old) {
		rest.StorageClassName = was.StorageClassName
	}
	if is, was := updated.Annotations[corev1.BetaStorageClassAnnotation], old.Annotations[corev1.BetaStorageClassAnnotation]; is != was && !classFromAnnotation(updated, old) {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "annotations", corev1.BetaStorageClassAnnotation), is, apivalidation.FieldImmutableErrorMsg))
	}
	if updated.Status.Phase == corev1.ClaimBound {
		if rest.Resources.Requests != nil {
			rest.Resources.Requests[corev1.ResourceStorage] = was.Resources.Requests[corev1.ResourceStorage]
		}
		rest.VolumeAttributesClassName = was.VolumeAttributesClassName
	}
	if !equality.Semantic.DeepEqual(rest, was) {
		errs = append(errs, field.Forbidden(field.NewPath("spec"), fmt.Sprintf(
			"spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n%v", diff.Diff(was, rest))))
	}
	errs = append(errs, claimNotSmaller(updated, old)...)
	errs = append(errs, apivalidation.ValidateImmutableField(updated.Spec.VolumeMode, old.Spec.VolumeMode, field.NewPath("volumeMode"))...)
	return append(errs, attributesClassKept(updated, old)...)
}

// claimNotSmaller lets a claim ask for less only on the way back from a growth that failed: never for less than it has.
func claimNotSmaller(updated, old *corev1.PersistentVolumeClaim) field.ErrorList {
	size, was := updated.Spec.Resources.Requests[corev1.ResourceStorage], old.Spec.Resources.Requests[corev1.ResourceStorage]
	has := old.Status.Capacity[corev1.ResourceStorage]
	if size.Cmp(was) >= 0 || size.Cmp(has) > 0 {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec", "resources", "requests", "storage"), "field can not be less than status.capacity")}
}

// attributesClassKept keeps a class once the volume has it; another one may follow.
func attributesClassKept(updated, old *corev1.PersistentVolumeClaim) field.ErrorList {
	if old.Status.CurrentVolumeAttributesClassName == nil ||
		equality.Semantic.DeepEqual(updated.Spec.VolumeAttributesClassName, old.Spec.VolumeAttributesClassName) {
		return nil
	}
	path := field.NewPath("spec", "volumeAttributesClassName")
	switch {
	case updated.Spec.VolumeAttributesClassName == nil:
		return field.ErrorList{field.Forbidden(path, "update to nil is forbidden when status.currentVolumeAttributesClassName is not nil")}
	case *updated.Spec.VolumeAttributesClassName == "":
		return field.ErrorList{field.Forbidden(path, "update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil")}
	}
	return nil
}

// classFromAnnotation tells of an update that moves a claim's class from its annotation to its field.
func classFromAnnotation(updated, old *corev1.PersistentVolumeClaim) bool {
	was, annotated := old.Annotations[corev1.BetaStorageClassAnnotation]
	is, still := updated.Annotations[corev1.BetaStorageClassAnnotation]
	return annotated && old.Spec.StorageClassName == nil && ptr.Deref(updated.Spec.StorageClassName, "\x00") == was && (!still || is == was)
}

// classFromNil tells of an update that gives a claim the class that it has not named.
func classFromNil(updated, old *corev1.PersistentVolumeClaim) bool {
	was, annotated := old.Annotations[corev1.BetaStorageClassAnnotation]
	return old.Spec.StorageClassName == nil && updated.Spec.StorageClassName != nil &&
		(!annotated || *updated.Spec.StorageClassName == was)
}
