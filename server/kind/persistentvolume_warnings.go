package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func persistentVolumeWarnings(pv *corev1.PersistentVolume) []string {
	var warnings []string
	for _, old := range []struct{ key, message string }{
		{corev1.BetaStorageClassAnnotation, `deprecated since v1.8; use "storageClassName" attribute instead`},
		{corev1.MountOptionAnnotation, `deprecated since v1.31; use "mountOptions" attribute instead`},
	} {
		if _, ok := pv.Annotations[old.key]; ok {
			warnings = append(warnings, fmt.Sprintf("%s: %s", field.NewPath("metadata", "annotations").Key(old.key), old.message))
		}
	}
	spec := field.NewPath("spec")
	if pv.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimRecycle {
		warnings = append(warnings, fmt.Sprintf("%s: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.", spec.Child("persistentVolumeReclaimPolicy")))
	}
	if a := pv.Spec.NodeAffinity; a != nil && a.Required != nil {
		for i := range a.Required.NodeSelectorTerms {
			warnings = append(warnings, nodeTermWarnings(&a.Required.NodeSelectorTerms[i], spec.Child("nodeAffinity", "required", "nodeSelectorTerms").Index(i))...)
		}
	}
	return append(warnings, goneSources(&pv.Spec.PersistentVolumeSource, spec)...)
}

// goneSources tells of places that no version reaches any more.
func goneSources(s *corev1.PersistentVolumeSource, spec *field.Path) []string {
	var warnings []string
	for _, gone := range []struct {
		field, since string
		given        bool
	}{
		{"cephfs", "deprecated in v1.28, non-functional in v1.31+", s.CephFS != nil},
		{"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+", s.PhotonPersistentDisk != nil},
		{"scaleIO", "deprecated in v1.16, non-functional in v1.22+", s.ScaleIO != nil},
		{"storageOS", "deprecated in v1.22, non-functional in v1.25+", s.StorageOS != nil},
		{"glusterfs", "deprecated in v1.25, non-functional in v1.26+", s.Glusterfs != nil},
		{"rbd", "deprecated in v1.28, non-functional in v1.31+", s.RBD != nil},
	} {
		if gone.given {
			warnings = append(warnings, fmt.Sprintf("%s: %s", spec.Child(gone.field), gone.since))
		}
	}
	return warnings
}
