package kind

import (
	"strings"

	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// CSIDriver tells what a storage driver of the Container Storage Interface can do.
var CSIDriver = &Kind{
	GroupVersionKind:  storage("CSIDriver"),
	Resource:          "csidrivers",
	Singular:          "csidriver",
	New:               makes[storagev1.CSIDriver](),
	NewList:           makes[storagev1.CSIDriverList](),
	ConditionalUpdate: true,

	Default: changes(func(d *storagev1.CSIDriver) {
		setDefault(&d.Spec.AttachRequired, true)
		setDefault(&d.Spec.PodInfoOnMount, false)
		setDefault(&d.Spec.StorageCapacity, false)
		setDefault(&d.Spec.FSGroupPolicy, storagev1.ReadWriteOnceWithFSTypeFSGroupPolicy)
		if len(d.Spec.VolumeLifecycleModes) == 0 {
			d.Spec.VolumeLifecycleModes = []storagev1.VolumeLifecycleMode{storagev1.VolumeLifecyclePersistent}
		}
		setDefault(&d.Spec.RequiresRepublish, false)
		setDefault(&d.Spec.SELinuxMount, false)
		setDefault(&d.Spec.PreventPodSchedulingIfMissing, false)
	}),
	PrepareUpdate: changesOver(func(updated, old *storagev1.CSIDriver) {
		if !equality.Semantic.DeepEqual(updated.Spec, old.Spec) {
			updated.Generation = old.Generation + 1
		}
	}),

	Validate:       validates(validateCSIDriver),
	ValidateUpdate: validatesOver(validateCSIDriverUpdate),
	Warnings:       warns(csiDriverWarnings),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("AttachRequired", "boolean", storagev1.CSIDriverSpec{}.SwaggerDoc()["attachRequired"]),
		column("PodInfoOnMount", "boolean", storagev1.CSIDriverSpec{}.SwaggerDoc()["podInfoOnMount"]),
		column("StorageCapacity", "boolean", storagev1.CSIDriverSpec{}.SwaggerDoc()["storageCapacity"]),
		column("TokenRequests", "string", storagev1.CSIDriverSpec{}.SwaggerDoc()["tokenRequests"]),
		column("RequiresRepublish", "boolean", storagev1.CSIDriverSpec{}.SwaggerDoc()["requiresRepublish"]),
		column("Modes", "string", storagev1.CSIDriverSpec{}.SwaggerDoc()["volumeLifecycleModes"]),
		ageColumn,
	},
	Row: prints(csiDriverRow),
}

func csiDriverRow(d *storagev1.CSIDriver) []any {
	var modes, audiences []string
	for _, mode := range d.Spec.VolumeLifecycleModes {
		modes = append(modes, string(mode))
	}
	for _, request := range d.Spec.TokenRequests {
		audiences = append(audiences, request.Audience)
	}
	tokens := unset
	if d.Spec.TokenRequests != nil {
		tokens = strings.Join(audiences, ",")
	}
	return []any{
		d.Name, ptr.Deref(d.Spec.AttachRequired, true), ptr.Deref(d.Spec.PodInfoOnMount, false),
		ptr.Deref(d.Spec.StorageCapacity, false), tokens, ptr.Deref(d.Spec.RequiresRepublish, false),
		or(strings.Join(modes, ","), none), age(d),
	}
}
