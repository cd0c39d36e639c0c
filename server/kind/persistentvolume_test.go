package kind

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const localVolume = `
metadata: {name: disk}
spec:
  capacity: {storage: 5Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  local: {path: /mnt/disk}
  nodeAffinity:
    required: {nodeSelectorTerms: [{matchExpressions: [{key: failure-domain.beta.kubernetes.io/zone, operator: In, values: [a]}]}]}
`

func TestValidatePersistentVolume(t *testing.T) {
	type volume = *corev1.PersistentVolume
	base := func() volume { return decode[volume](t, PersistentVolume, localVolume) }
	expr := func(pv volume) *corev1.NodeSelectorRequirement {
		return &pv.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0]
	}
	source := func(s corev1.PersistentVolumeSource) func(volume) {
		return func(pv volume) { pv.Spec.PersistentVolumeSource = s }
	}
	checkChanges(t, PersistentVolume, base, []change[volume]{
		{"no modes", func(pv volume) { pv.Spec.AccessModes = nil }, []string{"spec.accessModes" + isRequired}},
		{"unknown mode", func(pv volume) { pv.Spec.AccessModes[0] = "Write" }, []string{"spec.accessModes" + isNotSupported}},
		{"alone and not", func(pv volume) { pv.Spec.AccessModes = append(pv.Spec.AccessModes, corev1.ReadWriteOncePod) }, []string{"spec.accessModes" + isForbidden}},
		{"no size", func(pv volume) { pv.Spec.Capacity = nil }, []string{"spec.capacity" + isRequired, "spec.capacity" + isNotSupported}},
		{"other size", func(pv volume) { pv.Spec.Capacity = amounts("1", "") }, []string{"spec.capacity" + isNotSupported}},
		{"empty", func(pv volume) { pv.Spec.Capacity = stored("0") }, []string{"spec.capacity[storage]" + isInvalid}},
		{"policy", func(pv volume) { pv.Spec.PersistentVolumeReclaimPolicy = "Keep" }, []string{"spec.persistentVolumeReclaimPolicy" + isNotSupported}},
		{"local anywhere", func(pv volume) { pv.Spec.NodeAffinity = nil }, []string{"spec.nodeAffinity" + isRequired}},
		{"no constraint", func(pv volume) { pv.Spec.NodeAffinity.Required = nil }, []string{"spec.nodeAffinity.required" + isRequired}},
		{"no terms", func(pv volume) { pv.Spec.NodeAffinity.Required.NodeSelectorTerms = nil }, []string{"spec.nodeAffinity.required.nodeSelectorTerms" + isRequired}},
		{"no source", source(corev1.PersistentVolumeSource{}), []string{"spec" + isRequired}},
		{"two sources", func(pv volume) { pv.Spec.HostPath = &corev1.HostPathVolumeSource{Path: "/a"} }, []string{"spec.local" + isForbidden}},
		{"steps back", func(pv volume) { pv.Spec.Local.Path = "/a/../b" }, []string{"spec.local.path" + isInvalid}},
		{"no path", func(pv volume) { pv.Spec.Local.Path = "" }, []string{"spec.local.path" + isRequired}},
		{"class", func(pv volume) { pv.Spec.StorageClassName = "Fast" }, []string{"spec.storageClassName" + isInvalid}},
		{"volume mode", func(pv volume) { pv.Spec.VolumeMode = pointsTo(corev1.PersistentVolumeMode("Tape")) }, []string{"spec.volumeMode" + isNotSupported}},
		{"attributes", func(pv volume) { pv.Spec.VolumeAttributesClassName = pointsTo("gold") }, []string{"spec.csi" + isRequired}},
		{"options", func(pv volume) { pv.Annotations = map[string]string{corev1.MountOptionAnnotation: "ro"} },
			[]string{"metadata.annotations." + corev1.MountOptionAnnotation + isForbidden}},
		{"driver", source(corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{NodePublishSecretRef: &corev1.SecretReference{Name: "a"}}}),
			[]string{"spec.csi.driver" + isRequired, "spec.csi.volumeHandle" + isRequired, "spec.csi.nodePublishSecretRef.namespace" + isRequired}},
		{"iscsi", source(corev1.PersistentVolumeSource{ISCSI: &corev1.ISCSIPersistentVolumeSource{TargetPortal: "a", IQN: "iqn.2015:x", Lun: 300}}),
			[]string{"spec.iscsi.iqn" + isInvalid, "spec.iscsi.lun" + isInvalid}},
		{"nfs", source(corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "a", Path: "/b"}}), nil},
		{"disk", source(corev1.PersistentVolumeSource{GCEPersistentDisk: &corev1.GCEPersistentDiskVolumeSource{}}), []string{"spec.persistentDisk.pdName" + isRequired}},
	})
	checkUpdates(t, PersistentVolume, base, []change[volume]{
		{"size and policy", func(pv volume) {
			pv.Spec.Capacity = stored("9Gi")
			pv.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimDelete
		}, nil},
		{"claim", func(pv volume) { pv.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "a", Name: "b"} }, nil},
		{"path", func(pv volume) { pv.Spec.Local.Path = "/other" }, []string{"spec.persistentvolumesource" + isForbidden}},
		{"mode", func(pv volume) { pv.Spec.VolumeMode = pointsTo(corev1.PersistentVolumeBlock) }, []string{"volumeMode" + isInvalid}},
		{"today's label", func(pv volume) { expr(pv).Key = corev1.LabelTopologyZone }, nil},
		{"another zone", func(pv volume) { expr(pv).Values[0] = "b" }, []string{"nodeAffinity" + isInvalid}},
	})
}

func TestPersistentVolumePhase(t *testing.T) {
	pv := decode[*corev1.PersistentVolume](t, PersistentVolume, localVolume)
	PersistentVolume.PrepareCreate(pv)
	since := pv.Status.LastPhaseTransitionTime
	if pv.Status.Phase != corev1.VolumePending || since == nil {
		t.Fatalf("a new volume is %+v", pv.Status)
	}
	old := pv.DeepCopy()
	old.Status.LastPhaseTransitionTime = new(ago(1e12))
	same := &corev1.PersistentVolume{Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumePending}}
	PersistentVolume.PrepareStatus(same, old)
	if !same.Status.LastPhaseTransitionTime.Equal(old.Status.LastPhaseTransitionTime) || same.Spec.Local == nil {
		t.Errorf("the same phase gives %+v", same)
	}
	other := old.DeepCopy()
	other.Status.Phase = corev1.VolumeBound
	PersistentVolume.PrepareStatus(other, old)
	if !other.Status.LastPhaseTransitionTime.After(old.Status.LastPhaseTransitionTime.Time) {
		t.Errorf("another phase gives %+v", other.Status)
	}
}

func TestStorageRows(t *testing.T) {
	pv := decode[*corev1.PersistentVolume](t, PersistentVolume, localVolume)
	pv.CreationTimestamp = ago(3 * 3600e9)
	pv.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany, corev1.ReadOnlyMany, corev1.ReadWriteMany}
	pv.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "web", Name: "data"}
	PersistentVolume.Default(pv)
	if got, want := strings.Join(printed(PersistentVolume.Row(pv)), "|"), "disk|5Gi|ROX,RWX|Retain|Pending|web/data|fast|<unset>||3h|Filesystem"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	pvc := decode[*corev1.PersistentVolumeClaim](t, PersistentVolumeClaim, someClaim)
	pvc.CreationTimestamp = pv.CreationTimestamp
	PersistentVolumeClaim.Default(pvc)
	if got, want := strings.Join(printed(PersistentVolumeClaim.Row(pvc)), "|"), "data|Pending||||fast|<unset>|3h|Filesystem"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	pvc.Spec.VolumeName, pvc.Status.Capacity, pvc.Status.AccessModes = "disk", stored("5Gi"), pvc.Spec.AccessModes
	pvc.DeletionTimestamp = new(metav1.Now())
	if got, want := strings.Join(printed(PersistentVolumeClaim.Row(pvc)), "|"), "data|Terminating|disk|5Gi|RWO|fast|<unset>|3h|Filesystem"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPersistentVolumeWarnings(t *testing.T) {
	pv := decode[*corev1.PersistentVolume](t, PersistentVolume, localVolume)
	pv.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRecycle
	got := PersistentVolume.Warnings(t.Context(), pv)
	want := []string{
		"spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
		`spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
