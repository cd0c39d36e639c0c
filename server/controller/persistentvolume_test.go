package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	volumehelper "k8s.io/component-helpers/storage/volume"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

func testVolume(name, size string, mutate ...func(*corev1.PersistentVolume)) *corev1.PersistentVolume {
	pv := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:    corev1.ResourceList{corev1.ResourceStorage: apiresource.MustParse(size)},
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: "fast",
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
		},
		Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeAvailable},
	}
	for _, m := range mutate {
		m(pv)
	}
	return pv
}

func forClaim(name, uid string) func(*corev1.PersistentVolume) {
	return func(pv *corev1.PersistentVolume) {
		pv.Spec.ClaimRef = &corev1.ObjectReference{Namespace: "default", Name: name, UID: types.UID(uid)}
	}
}

func testClaim(mutate ...func(*corev1.PersistentVolumeClaim)) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "data", UID: "1"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes:      []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			StorageClassName: ptr.To("fast"),
			Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: apiresource.MustParse("2Gi")}},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	for _, m := range mutate {
		m(claim)
	}
	return claim
}

func ofClass(name *string) func(*corev1.PersistentVolumeClaim) {
	return func(c *corev1.PersistentVolumeClaim) { c.Spec.StorageClassName = name }
}

func wants(volume string) func(*corev1.PersistentVolumeClaim) {
	return func(c *corev1.PersistentVolumeClaim) { c.Spec.VolumeName = volume }
}

func noted(key, value string) func(*corev1.PersistentVolumeClaim) {
	return func(c *corev1.PersistentVolumeClaim) { metav1.SetMetaDataAnnotation(&c.ObjectMeta, key, value) }
}

func TestPlanClaim(t *testing.T) {
	class := func(name, provisioner string, mode storagev1.VolumeBindingMode) *storagev1.StorageClass {
		return &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: provisioner, VolumeBindingMode: &mode}
	}
	standard := class("standard", "p", storagev1.VolumeBindingImmediate)
	standard.Annotations = map[string]string{kind.DefaultClassAnnotation: "true"}
	classes := []*storagev1.StorageClass{
		class("fast", "example.com/disk", storagev1.VolumeBindingImmediate),
		class("later", "example.com/disk", storagev1.VolumeBindingWaitForFirstConsumer),
		class("static", volumehelper.NotSupportedProvisioner, storagev1.VolumeBindingImmediate),
	}
	volumes := []*corev1.PersistentVolume{
		testVolume("large", "9Gi"), testVolume("small", "1Gi"), testVolume("right", "3Gi"), testVolume("others", "2Gi", forClaim("other", "2")),
	}
	done := noted(volumehelper.AnnBindCompleted, "yes")
	type volume = *corev1.PersistentVolume
	for _, test := range []struct {
		name    string
		claim   *corev1.PersistentVolumeClaim
		volumes []volume
		more    []*storagev1.StorageClass
		want    string
	}{
		{"the smallest that is large enough", testClaim(), volumes, nil, "bind right"},
		{"one that was kept for it", testClaim(), append(volumes, testVolume("kept", "8Gi", forClaim("data", ""))), nil, "bind kept"},
		{"no volume", testClaim(), nil, nil, "ask example.com/disk: ExternalProvisioning"},
		{"no volume, no maker", testClaim(ofClass(ptr.To("static"))), volumes, nil, "wait: FailedBinding"},
		{"no class", testClaim(ofClass(ptr.To(""))), volumes, nil, "wait: FailedBinding"},
		{"unknown class", testClaim(ofClass(ptr.To("x"))), volumes, nil, "wait: ProvisioningFailed"},
		{"no class named yet", testClaim(ofClass(nil)), nil, nil, "wait: FailedBinding"},
		{"the default class, afterwards", testClaim(ofClass(nil)), nil, []*storagev1.StorageClass{standard}, "give class standard"},
		{"nobody uses it yet", testClaim(ofClass(ptr.To("later"))), volumes, nil, "wait: WaitForFirstConsumer"},
		{"its pod has a node", testClaim(ofClass(ptr.To("later")), noted(volumehelper.AnnSelectedNode, "n")), volumes, nil, "ask example.com/disk: ExternalProvisioning"},
		{"it names a volume", testClaim(wants("large")), volumes, nil, "bind large"},
		{"it names one that is too small", testClaim(wants("small")), volumes, nil, "wait: VolumeMismatch"},
		{"it names another's", testClaim(wants("others")), volumes, nil, "wait"},
		{"it names none that is there", testClaim(wants("x")), volumes, nil, "wait"},
		{"bound", testClaim(wants("mine"), done), []volume{testVolume("mine", "2Gi", forClaim("data", "1"))}, nil, "bind mine"},
		{"bound, and the volume forgot", testClaim(wants("mine"), done), []volume{testVolume("mine", "2Gi")}, nil, "bind mine"},
		{"bound, and the volume gone", testClaim(wants("mine"), done), nil, nil, "lose: ClaimLost"},
		{"bound to another's", testClaim(wants("others"), done), volumes, nil, "lose: ClaimMisbound"},
		{"bound to nothing", testClaim(done), volumes, nil, "lose: ClaimLost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := claimView{claim: test.claim, volumes: test.volumes, classes: append(test.more, classes...)}
			if got := planClaim(v).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPlanVolume(t *testing.T) {
	policy := func(p corev1.PersistentVolumeReclaimPolicy) func(*corev1.PersistentVolume) {
		return func(pv *corev1.PersistentVolume) { pv.Spec.PersistentVolumeReclaimPolicy = p }
	}
	made := func(pv *corev1.PersistentVolume) {
		metav1.SetMetaDataAnnotation(&pv.ObjectMeta, volumehelper.AnnDynamicallyProvisioned, "example.com/disk")
	}
	mine := forClaim("data", "1")
	for _, test := range []struct {
		name  string
		pv    *corev1.PersistentVolume
		claim *corev1.PersistentVolumeClaim
		want  string
	}{
		{"nobody's", testVolume("v", "1Gi"), nil, "Available"},
		{"kept for a name", testVolume("v", "1Gi", forClaim("data", "")), nil, "Available"},
		{"bound", testVolume("v", "1Gi", mine), testClaim(wants("v")), "Bound"},
		{"about to be", testVolume("v", "1Gi", mine), testClaim(), "Available"},
		{"its claim has another", testVolume("v", "1Gi", mine), testClaim(wants("w")), "unbind, Available"},
		{"made for a claim that has another", testVolume("v", "1Gi", mine, made, policy(corev1.PersistentVolumeReclaimDelete)), testClaim(wants("w")), "Released"},
		{"retained", testVolume("v", "1Gi", mine), nil, "Released"},
		{"deleted by its maker", testVolume("v", "1Gi", mine, made, policy(corev1.PersistentVolumeReclaimDelete)), nil, "Released"},
		{"deleted by nobody", testVolume("v", "1Gi", mine, policy(corev1.PersistentVolumeReclaimDelete)), nil, "Failed: VolumeFailedDelete"},
		{"recycled by nobody", testVolume("v", "1Gi", mine, policy(corev1.PersistentVolumeReclaimRecycle)), nil, "Failed: VolumeFailedRecycle"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := planVolume(test.pv, test.claim).String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPlanReclaim(t *testing.T) {
	base := func(mutate ...func(*corev1.PersistentVolume)) *corev1.PersistentVolume {
		pv := testVolume("v", "1Gi", mutate...)
		pv.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimDelete
		pv.Finalizers = []string{volumehelper.PVDeletionProtectionFinalizer}
		metav1.SetMetaDataAnnotation(&pv.ObjectMeta, volumehelper.AnnDynamicallyProvisioned, kind.LocalPathProvisioner)
		return pv
	}
	phase := func(p corev1.PersistentVolumePhase) func(*corev1.PersistentVolume) {
		return func(pv *corev1.PersistentVolume) { pv.Status.Phase = p }
	}
	leaves := func(pv *corev1.PersistentVolume) { pv.DeletionTimestamp = ptr.To(metav1.Now()) }
	retained := base(leaves, phase(corev1.VolumeReleased))
	retained.Spec.PersistentVolumeReclaimPolicy = corev1.PersistentVolumeReclaimRetain
	others := base(phase(corev1.VolumeReleased))
	others.Annotations = nil
	for _, test := range []struct {
		name string
		pv   *corev1.PersistentVolume
		want reclaimStep
	}{
		{"in use", base(phase(corev1.VolumeBound)), keepVolume},
		{"released", base(phase(corev1.VolumeReleased)), deleteVolume},
		{"being deleted", base(leaves, phase(corev1.VolumeReleased)), removeData},
		{"being deleted, but bound", base(leaves, phase(corev1.VolumeBound)), keepVolume},
		{"retained", retained, releaseVolume},
		{"another's", others, keepVolume},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := planReclaim(test.pv); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
