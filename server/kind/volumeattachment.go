package kind

import (
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// VolumeAttachment asks a storage driver to bring a volume to a node.
var VolumeAttachment = &Kind{
	GroupVersionKind:  storage("VolumeAttachment"),
	Resource:          "volumeattachments",
	Singular:          "volumeattachment",
	New:               makes[storagev1.VolumeAttachment](),
	NewList:           makes[storagev1.VolumeAttachmentList](),
	ConditionalUpdate: true,

	Default: changes(func(va *storagev1.VolumeAttachment) {
		if s := va.Spec.Source.InlineVolumeSpec; s != nil {
			roundResources(s.Capacity)
			defaultPersistentSource(&s.PersistentVolumeSource)
		}
	}),
	PrepareCreate: changes(func(va *storagev1.VolumeAttachment) { va.Status = storagev1.VolumeAttachmentStatus{} }),
	PrepareUpdate: changesOver(func(updated, old *storagev1.VolumeAttachment) { updated.Status = old.Status }),
	PrepareStatus: changesOver(func(updated, old *storagev1.VolumeAttachment) {
		updated.Spec = old.Spec
		metav1.ResetObjectMetaForStatus(&updated.ObjectMeta, &old.ObjectMeta)
	}),
	HasStatus: true,

	Validate:       validates(validateVolumeAttachment),
	ValidateUpdate: validatesOver(validateVolumeAttachmentUpdate),
	ValidateStatus: validatesOver(validateVolumeAttachmentStatus),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		{Name: "Attacher", Type: "string", Format: "name", Description: storagev1.VolumeAttachmentSpec{}.SwaggerDoc()["attacher"]},
		column("PV", "string", storagev1.VolumeAttachmentSource{}.SwaggerDoc()["persistentVolumeName"]),
		column("Node", "string", storagev1.VolumeAttachmentSpec{}.SwaggerDoc()["nodeName"]),
		column("Attached", "boolean", storagev1.VolumeAttachmentStatus{}.SwaggerDoc()["attached"]),
		ageColumn,
	},
	Row: prints(func(va *storagev1.VolumeAttachment) []any {
		return []any{va.Name, va.Spec.Attacher, ptr.Deref(va.Spec.Source.PersistentVolumeName, ""), va.Spec.NodeName, va.Status.Attached, age(va)}
	}),
}
