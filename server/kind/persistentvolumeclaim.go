package kind

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// PersistentVolumeClaim asks for storage, and holds the volume that it was given.
var PersistentVolumeClaim = &Kind{
	GroupVersionKind: core("PersistentVolumeClaim"),
	Resource:         "persistentvolumeclaims",
	Singular:         "persistentvolumeclaim",
	ShortNames:       []string{"pvc"},
	Namespaced:       true,
	New:              makes[corev1.PersistentVolumeClaim](),
	NewList:          makes[corev1.PersistentVolumeClaimList](),

	Default:       changes(defaultPersistentVolumeClaim),
	PrepareCreate: changes(createPersistentVolumeClaim),
	PrepareUpdate: changesOver(updatePersistentVolumeClaim),
	PrepareStatus: changesOver(reportPersistentVolumeClaim),
	HasStatus:     true,

	Validate:       validates(validatePersistentVolumeClaim),
	ValidateUpdate: validatesOver(validatePersistentVolumeClaimUpdate),
	ValidateStatus: validatesOver(validatePersistentVolumeClaimStatus),
	Warnings:       warns(persistentVolumeClaimWarnings),

	Fields:      valuesOf(persistentVolumeClaimFields),
	FieldLabels: labelsOf(persistentVolumeClaimFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Status", "string", corev1.PersistentVolumeClaimStatus{}.SwaggerDoc()["phase"]),
		column("Volume", "string", corev1.PersistentVolumeClaimSpec{}.SwaggerDoc()["volumeName"]),
		column("Capacity", "string", corev1.PersistentVolumeClaimStatus{}.SwaggerDoc()["capacity"]),
		column("Access Modes", "string", corev1.PersistentVolumeClaimStatus{}.SwaggerDoc()["accessModes"]),
		column("StorageClass", "string", "StorageClass of the pvc"),
		column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pvc"),
		ageColumn,
		wide("VolumeMode", corev1.PersistentVolumeClaimSpec{}.SwaggerDoc()["volumeMode"]),
	},
	Row: prints(persistentVolumeClaimRow),
}

// persistentVolumeClaimFields has the name once more, as old clients ask for it.
var persistentVolumeClaimFields = []selectable[*corev1.PersistentVolumeClaim]{
	{"name", func(pvc *corev1.PersistentVolumeClaim) string { return pvc.Name }},
}

func defaultPersistentVolumeClaim(pvc *corev1.PersistentVolumeClaim) {
	setDefaultText(&pvc.Status.Phase, corev1.ClaimPending)
	defaultClaimSpec(&pvc.Spec)
	roundResources(pvc.Status.Capacity)
	roundResources(pvc.Status.AllocatedResources)
}

// defaultClaimSpec completes a claim, or a template of claims.
func defaultClaimSpec(s *corev1.PersistentVolumeClaimSpec) {
	setDefault(&s.VolumeMode, corev1.PersistentVolumeFilesystem)
	roundResources(s.Resources.Requests)
	roundResources(s.Resources.Limits)
}

func createPersistentVolumeClaim(pvc *corev1.PersistentVolumeClaim) {
	pvc.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}
	prepareDataSource(&pvc.Spec, nil)
}

func updatePersistentVolumeClaim(updated, old *corev1.PersistentVolumeClaim) {
	updated.Status = old.Status
	prepareDataSource(&updated.Spec, &old.Spec)
}

// reportPersistentVolumeClaim keeps what is wanted. The health of volumes is not told.
func reportPersistentVolumeClaim(updated, old *corev1.PersistentVolumeClaim) {
	updated.Spec = old.Spec
	if old.Status.HealthStatus == nil {
		updated.Status.HealthStatus = nil
	}
}

func persistentVolumeClaimRow(pvc *corev1.PersistentVolumeClaim) []any {
	phase := string(pvc.Status.Phase)
	if pvc.DeletionTimestamp != nil {
		phase = terminating
	}
	capacity, modes := "", ""
	if pvc.Spec.VolumeName != "" {
		quantity := pvc.Status.Capacity[corev1.ResourceStorage]
		capacity, modes = quantity.String(), accessModes(pvc.Status.AccessModes)
	}
	return []any{
		pvc.Name, phase, pvc.Spec.VolumeName, capacity, modes, ClaimClass(pvc),
		ptr.Deref(pvc.Spec.VolumeAttributesClassName, unset), age(pvc), string(ptr.Deref(pvc.Spec.VolumeMode, unset)),
	}
}

// ClaimClass is the name of the storage class that a claim asks for, which old claims have in an annotation. It is
// empty for a claim that wants none, and for one that has not said (ClaimHasClass).
func ClaimClass(pvc *corev1.PersistentVolumeClaim) string {
	if class, ok := pvc.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	return ptr.Deref(pvc.Spec.StorageClassName, "")
}

// ClaimHasClass tells whether a claim says which class it wants, even if that is none.
func ClaimHasClass(pvc *corev1.PersistentVolumeClaim) bool {
	_, annotated := pvc.Annotations[corev1.BetaStorageClassAnnotation]
	return annotated || pvc.Spec.StorageClassName != nil
}
