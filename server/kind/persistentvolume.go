package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// PersistentVolume is a piece of storage that outlives the pods that use it.
var PersistentVolume = &Kind{
	GroupVersionKind: core("PersistentVolume"),
	Resource:         "persistentvolumes",
	Singular:         "persistentvolume",
	ShortNames:       []string{"pv"},
	New:              makes[corev1.PersistentVolume](),
	NewList:          makes[corev1.PersistentVolumeList](),

	Default:       changes(defaultPersistentVolume),
	PrepareCreate: changes(createPersistentVolume),
	PrepareUpdate: changesOver(func(updated, old *corev1.PersistentVolume) { updated.Status = old.Status }),
	PrepareStatus: changesOver(reportPersistentVolume),
	HasStatus:     true,

	Validate:       validates(validatePersistentVolume),
	ValidateUpdate: validatesOver(validatePersistentVolumeUpdate),
	Warnings:       warns(persistentVolumeWarnings),

	Fields:      valuesOf(persistentVolumeFields),
	FieldLabels: labelsOf(persistentVolumeFields),
	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Capacity", "string", corev1.PersistentVolumeSpec{}.SwaggerDoc()["capacity"]),
		column("Access Modes", "string", corev1.PersistentVolumeSpec{}.SwaggerDoc()["accessModes"]),
		column("Reclaim Policy", "string", corev1.PersistentVolumeSpec{}.SwaggerDoc()["persistentVolumeReclaimPolicy"]),
		column("Status", "string", corev1.PersistentVolumeStatus{}.SwaggerDoc()["phase"]),
		column("Claim", "string", corev1.PersistentVolumeSpec{}.SwaggerDoc()["claimRef"]),
		column("StorageClass", "string", "StorageClass of the pv"),
		column("VolumeAttributesClass", "string", "VolumeAttributesClass of the pv"),
		column("Reason", "string", corev1.PersistentVolumeStatus{}.SwaggerDoc()["reason"]),
		ageColumn,
		wide("VolumeMode", corev1.PersistentVolumeSpec{}.SwaggerDoc()["volumeMode"]),
	},
	Row: prints(persistentVolumeRow),
}

// The finalizers that keep a volume, and a claim, for as long as they are in use.
const (
	VolumeProtection = "kubernetes.io/pv-protection"
	ClaimProtection  = "kubernetes.io/pvc-protection"
)

// persistentVolumeFields has the name once more, as old clients ask for it.
var persistentVolumeFields = []selectable[*corev1.PersistentVolume]{
	{"name", func(pv *corev1.PersistentVolume) string { return pv.Name }},
}

func defaultPersistentVolume(pv *corev1.PersistentVolume) {
	setDefaultText(&pv.Status.Phase, corev1.VolumePending)
	setDefaultText(&pv.Spec.PersistentVolumeReclaimPolicy, corev1.PersistentVolumeReclaimRetain)
	setDefault(&pv.Spec.VolumeMode, corev1.PersistentVolumeFilesystem)
	roundResources(pv.Spec.Capacity)
	defaultPersistentSource(&pv.Spec.PersistentVolumeSource)
}

func defaultPersistentSource(s *corev1.PersistentVolumeSource) {
	if s.HostPath != nil {
		setDefault(&s.HostPath.Type, corev1.HostPathUnset)
	}
	if s.ISCSI != nil {
		setDefaultText(&s.ISCSI.ISCSIInterface, "default")
	}
	if s.RBD != nil {
		setDefaultText(&s.RBD.RBDPool, "rbd")
		setDefaultText(&s.RBD.RadosUser, "admin")
		setDefaultText(&s.RBD.Keyring, "/etc/ceph/keyring")
	}
	if s.ScaleIO != nil {
		setDefaultText(&s.ScaleIO.StorageMode, "ThinProvisioned")
		setDefaultText(&s.ScaleIO.FSType, "xfs")
	}
	if s.AzureDisk != nil {
		defaultAzureDisk(s.AzureDisk)
	}
}

// createPersistentVolume starts a volume's life, and the clock of its phases.
func createPersistentVolume(pv *corev1.PersistentVolume) {
	pv.Status = corev1.PersistentVolumeStatus{Phase: corev1.VolumePending, LastPhaseTransitionTime: new(metav1.Now())}
}

// reportPersistentVolume keeps what is wanted, and notes when the phase changes.
func reportPersistentVolume(updated, old *corev1.PersistentVolume) {
	updated.Spec = old.Spec
	is, was := &updated.Status, &old.Status
	switch {
	case is.Phase == was.Phase && is.LastPhaseTransitionTime == nil:
		is.LastPhaseTransitionTime = was.LastPhaseTransitionTime
	case is.Phase != was.Phase && (is.LastPhaseTransitionTime == nil || is.LastPhaseTransitionTime.Equal(was.LastPhaseTransitionTime)):
		is.LastPhaseTransitionTime = new(metav1.Now())
	}
}

func persistentVolumeRow(pv *corev1.PersistentVolume) []any {
	claim := ""
	if ref := pv.Spec.ClaimRef; ref != nil {
		claim = ref.Namespace + "/" + ref.Name
	}
	phase := string(pv.Status.Phase)
	if pv.DeletionTimestamp != nil {
		phase = terminating
	}
	capacity := pv.Spec.Capacity[corev1.ResourceStorage]
	return []any{
		pv.Name, capacity.String(), accessModes(pv.Spec.AccessModes), string(pv.Spec.PersistentVolumeReclaimPolicy), phase, claim,
		VolumeClass(pv), ptr.Deref(pv.Spec.VolumeAttributesClassName, unset), pv.Status.Reason, age(pv),
		string(ptr.Deref(pv.Spec.VolumeMode, unset)),
	}
}

// VolumeClass is the name of a volume's storage class, which old volumes have in an annotation.
func VolumeClass(pv *corev1.PersistentVolume) string {
	if class, ok := pv.Annotations[corev1.BetaStorageClassAnnotation]; ok {
		return class
	}
	return pv.Spec.StorageClassName
}

// accessModes are the short names of access modes, always in the same order.
func accessModes(modes []corev1.PersistentVolumeAccessMode) string {
	has := map[corev1.PersistentVolumeAccessMode]bool{}
	for _, mode := range modes {
		has[mode] = true
	}
	var short []string
	for _, m := range []struct {
		mode corev1.PersistentVolumeAccessMode
		name string
	}{
		{corev1.ReadWriteOnce, "RWO"}, {corev1.ReadOnlyMany, "ROX"}, {corev1.ReadWriteMany, "RWX"}, {corev1.ReadWriteOncePod, "RWOP"},
	} {
		if has[m.mode] {
			short = append(short, m.name)
		}
	}
	return strings.Join(short, ",")
}
