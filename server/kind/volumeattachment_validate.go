package kind

import (
	"math"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

func validateVolumeAttachment(va *storagev1.VolumeAttachment) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateDriverName(va.Spec.Attacher, path.Child("attacher"))
	errs = append(errs, validateAttachmentSource(&va.Spec.Source, path.Child("source"))...)
	errs = append(errs, invalid(path.Child("nodeName"), va.Spec.NodeName, validation.IsDNS1123Subdomain(va.Spec.NodeName))...)
	errs = append(errs, validateAttachmentStatus(&va.Status, field.NewPath("status"))...)
	if name := va.Spec.Source.PersistentVolumeName; name != nil {
		errs = append(errs, invalid(field.NewPath("spec.source.persistentVolumeName"), *name, validation.IsDNS1123Subdomain(*name))...)
	}
	return errs
}

func validateAttachmentSource(s *storagev1.VolumeAttachmentSource, path *field.Path) field.ErrorList {
	const one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
	switch {
	case s.InlineVolumeSpec == nil && s.PersistentVolumeName == nil:
		return field.ErrorList{field.Required(path, one)}
	case s.InlineVolumeSpec != nil && s.PersistentVolumeName != nil:
		return field.ErrorList{field.Forbidden(path, one)}
	case s.InlineVolumeSpec != nil:
		return validateInlineVolume(s.InlineVolumeSpec, path.Child("inlineVolumeSpec"))
	case *s.PersistentVolumeName == "":
		return field.ErrorList{field.Required(path.Child("persistentVolumeName"), "must specify non empty persistentVolumeName")}
	}
	return nil
}

// validateInlineVolume checks a volume that has no object of its own: of a driver, and nobody's claim.
func validateInlineVolume(s *corev1.PersistentVolumeSpec, path *field.Path) field.ErrorList {
	const context = " in the context of inline volumes"
	forbidden := func(name string, given bool, message string) field.ErrorList {
		if !given {
			return nil
		}
		return field.ErrorList{field.Forbidden(path.Child(name), message+context)}
	}
	errs := forbidden("claimRef", s.ClaimRef != nil, "may not be specified")
	errs = append(errs, forbidden("capacity", len(s.Capacity) > 0, "may not be specified")...)
	if s.CSI == nil {
		errs = append(errs, field.Required(path.Child("csi"), "has to be specified"+context))
	}
	errs = append(errs, validateAccessModes(s.AccessModes, "", path.Child("accessModes"))...)
	errs = append(errs, forbidden("persistentVolumeReclaimPolicy",
		s.PersistentVolumeReclaimPolicy != "" && s.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimRetain, "may only be Retain")...)
	errs = append(errs, forbidden("nodeAffinity", s.NodeAffinity != nil, "may not be specified")...)
	errs = append(errs, validatePersistentSource(&s.PersistentVolumeSource, "", path)...)
	if s.Local != nil {
		errs = append(errs, field.Required(path.Child("nodeAffinity"), "Local volume requires node affinity"))
	}
	errs = append(errs, noRecycledRoot(s, path)...)
	errs = append(errs, forbidden("storageClassName", s.StorageClassName != "", "may not be specified")...)
	mode := ptr.Deref(s.VolumeMode, corev1.PersistentVolumeFilesystem)
	return append(errs, forbidden("volumeMode", mode != corev1.PersistentVolumeFilesystem, "may not specify volumeMode other than Filesystem")...)
}

// How many bytes a driver may say of a volume that it has attached, and of what went wrong.
const (
	maxAttachmentBytes = 256 * 1024
	maxVolumeError     = 1024
)

func validateAttachmentStatus(s *storagev1.VolumeAttachmentStatus, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if bytesOf(s.AttachmentMetadata) > maxAttachmentBytes {
		errs = append(errs, field.TooLong(path.Child("attachmentMetadata"), "", maxAttachmentBytes))
	}
	errs = append(errs, validateVolumeError(s.AttachError, path.Child("attachError"))...)
	return append(errs, validateVolumeError(s.DetachError, path.Child("detachError"))...)
}

func validateVolumeError(e *storagev1.VolumeError, path *field.Path) field.ErrorList {
	if e == nil {
		return nil
	}
	var errs field.ErrorList
	if len(e.Message) > maxVolumeError {
		errs = append(errs, field.TooLong(path.Child("message"), "", maxVolumeError))
	}
	if e.ErrorCode != nil && *e.ErrorCode < 0 {
		errs = append(errs, field.Invalid(path.Child("errorCode"), *e.ErrorCode, validation.InclusiveRangeError(0, math.MaxInt32)))
	}
	return errs
}

func validateVolumeAttachmentUpdate(updated, old *storagev1.VolumeAttachment) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec, old.Spec, field.NewPath("spec"))
}

func validateVolumeAttachmentStatus(updated, old *storagev1.VolumeAttachment) field.ErrorList {
	return append(validateVolumeAttachment(updated), validateVolumeAttachmentUpdate(updated, old)...)
}
