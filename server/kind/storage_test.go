package kind

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestValidateStorageClass(t *testing.T) {
	type class = *storagev1.StorageClass
	base := func() class {
		return &storagev1.StorageClass{Provisioner: "Example.com/disk", Parameters: map[string]string{"type": "fast"}}
	}
	terms := func(values ...[]string) func(class) {
		return func(sc class) {
			for _, v := range values {
				sc.AllowedTopologies = append(sc.AllowedTopologies, corev1.TopologySelectorTerm{
					MatchLabelExpressions: []corev1.TopologySelectorLabelRequirement{{Key: "zone", Values: v}}})
			}
		}
	}
	checkChanges(t, StorageClass, base, []change[class]{
		{"no provisioner", func(sc class) { sc.Provisioner = "" }, []string{"provisioner" + isRequired}},
		{"provisioner", func(sc class) { sc.Provisioner = "a b" }, []string{"provisioner" + isInvalid}},
		{"nameless parameter", func(sc class) { sc.Parameters[""] = "x" }, []string{"parameters" + isInvalid}},
		{"long parameter", func(sc class) { sc.Parameters["a"] = strings.Repeat("x", 1<<18) }, []string{"parameters" + isTooLong}},
		{"recycled", func(sc class) { sc.ReclaimPolicy = pointsTo(corev1.PersistentVolumeReclaimRecycle) }, []string{"reclaimPolicy" + isNotSupported}},
		{"binding", func(sc class) { sc.VolumeBindingMode = pointsTo(storagev1.VolumeBindingMode("Later")) }, []string{"volumeBindingMode" + isNotSupported}},
		{"zones", terms([]string{"a"}, []string{"b"}), nil},
		{"the same zones", terms([]string{"a", "b"}, []string{"b", "a"}), []string{"allowedTopologies[1].matchLabelExpressions" + isDuplicate}},
		{"no zone", terms(nil), []string{"allowedTopologies[0].matchLabelExpressions[0].values" + isRequired}},
	})
	checkUpdates(t, StorageClass, base, []change[class]{
		{"expansion", func(sc class) { sc.AllowVolumeExpansion = pointsTo(true) }, nil},
		{"the rest", func(sc class) {
			sc.Parameters["type"], sc.Provisioner = "slow", "x"
			sc.ReclaimPolicy = pointsTo(corev1.PersistentVolumeReclaimRetain)
			sc.VolumeBindingMode = pointsTo(storagev1.VolumeBindingWaitForFirstConsumer)
		}, []string{"parameters" + isInvalid, "provisioner" + isInvalid, "reclaimPolicy" + isInvalid, "volumeBindingMode" + isInvalid}},
	})
}

func TestValidateCSIDriver(t *testing.T) {
	type driver = *storagev1.CSIDriver
	base := func() driver { return &storagev1.CSIDriver{} }
	checkChanges(t, CSIDriver, base, []change[driver]{
		{"attach", func(d driver) { d.Spec.AttachRequired = nil }, []string{"spec.attachedRequired" + isRequired}},
		{"group policy", func(d driver) { d.Spec.FSGroupPolicy = pointsTo(storagev1.FSGroupPolicy("x")) }, []string{"spec.fsGroupPolicy" + isNotSupported}},
		{"mode", func(d driver) { d.Spec.VolumeLifecycleModes = []storagev1.VolumeLifecycleMode{"x"} }, []string{"spec.volumeLifecycleModes" + isNotSupported}},
		{"tokens", func(d driver) {
			d.Spec.TokenRequests = []storagev1.TokenRequest{{Audience: "a", ExpirationSeconds: pointsTo(int64(5))}, {Audience: "a"}}
		}, []string{"spec.tokenRequests[0].expirationSeconds" + isInvalid, "spec.tokenRequests[1].audience" + isDuplicate}},
		{"period", func(d driver) { d.Spec.NodeAllocatableUpdatePeriodSeconds = pointsTo(int64(9)) }, []string{"spec.nodeAllocatableUpdatePeriodSeconds" + isInvalid}},
		{"secrets without tokens", func(d driver) { d.Spec.ServiceAccountTokenInSecrets = pointsTo(true) }, []string{"spec.serviceAccountTokenInSecrets" + isInvalid}},
	})
	checkUpdates(t, CSIDriver, base, []change[driver]{
		{"capacity", func(d driver) { d.Spec.StorageCapacity = pointsTo(true) }, nil},
		{"attach", func(d driver) { d.Spec.AttachRequired = pointsTo(false) }, []string{"spec.attachedRequired" + isInvalid}},
	})
	d := base()
	CSIDriver.Default(d)
	if got := strings.Join(printed(CSIDriver.Row(d)), "|"); got != "|true|false|false|<unset>|false|Persistent|<unknown>" {
		t.Error(got)
	}
}

func TestValidateCSINode(t *testing.T) {
	type node = *storagev1.CSINode
	base := func() node {
		return &storagev1.CSINode{Spec: storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: "example.com", NodeID: "n", TopologyKeys: []string{"zone"}}}}}
	}
	at := "spec.drivers[0]"
	checkChanges(t, CSINode, base, []change[node]{
		{"name", func(n node) { n.Spec.Drivers[0].Name = "" }, []string{at + ".name" + isRequired}},
		{"node id", func(n node) { n.Spec.Drivers[0].NodeID = strings.Repeat("n", 257) }, []string{at + ".nodeID" + isInvalid}},
		{"count", func(n node) {
			n.Spec.Drivers[0].Allocatable = &storagev1.VolumeNodeResources{Count: pointsTo(int32(-1))}
		}, []string{at + ".allocatable.count" + isInvalid}},
		{"twice", func(n node) { n.Spec.Drivers = append(n.Spec.Drivers, n.Spec.Drivers[0]) }, []string{"spec.drivers[1].name" + isDuplicate}},
		{"key twice", func(n node) { n.Spec.Drivers[0].TopologyKeys = []string{"a", "a"} }, []string{at + isDuplicate}},
	})
	checkUpdates(t, CSINode, base, []change[node]{
		{"count", func(n node) {
			n.Spec.Drivers[0].Allocatable = &storagev1.VolumeNodeResources{Count: pointsTo(int32(3))}
		}, nil},
		{"node id", func(n node) { n.Spec.Drivers[0].NodeID = "m" }, []string{"spec.drivers" + isInvalid}},
		{"gone", func(n node) { n.Spec.Drivers = nil }, nil},
	})
}

func TestValidateVolumeAttachment(t *testing.T) {
	type attachment = *storagev1.VolumeAttachment
	base := func() attachment {
		return &storagev1.VolumeAttachment{Spec: storagev1.VolumeAttachmentSpec{
			Attacher: "example.com", NodeName: "n", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: pointsTo("disk")},
		}}
	}
	inline := func(s corev1.PersistentVolumeSpec) func(attachment) {
		return func(va attachment) { va.Spec.Source = storagev1.VolumeAttachmentSource{InlineVolumeSpec: &s} }
	}
	driver := corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "example.com", VolumeHandle: "h"}}
	modes := []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	at := "spec.source.inlineVolumeSpec"
	checkChanges(t, VolumeAttachment, base, []change[attachment]{
		{"attacher", func(va attachment) { va.Spec.Attacher = "" }, []string{"spec.attacher" + isRequired}},
		{"no source", func(va attachment) { va.Spec.Source = storagev1.VolumeAttachmentSource{} }, []string{"spec.source" + isRequired}},
		{"node", func(va attachment) { va.Spec.NodeName = "" }, []string{"spec.nodeName" + isInvalid}},
		{"inline", inline(corev1.PersistentVolumeSpec{AccessModes: modes, PersistentVolumeSource: driver}), nil},
		{"inline with a claim", inline(corev1.PersistentVolumeSpec{AccessModes: modes, PersistentVolumeSource: driver, ClaimRef: &corev1.ObjectReference{}, Capacity: stored("1Gi"), StorageClassName: "a"}),
			[]string{at + ".claimRef" + isForbidden, at + ".capacity" + isForbidden, at + ".storageClassName" + isForbidden}},
		{"error", func(va attachment) {
			va.Status.AttachError = &storagev1.VolumeError{Message: strings.Repeat("x", 1025), ErrorCode: pointsTo(int32(-1))}
		},
			[]string{"status.attachError.message" + isTooLong, "status.attachError.errorCode" + isInvalid}},
	})
	checkUpdates(t, VolumeAttachment, base, []change[attachment]{
		{"node", func(va attachment) { va.Spec.NodeName = "m" }, []string{"spec" + isInvalid}},
	})
}

func TestValidateCSIStorageCapacity(t *testing.T) {
	type capacity = *storagev1.CSIStorageCapacity
	base := func() capacity {
		return &storagev1.CSIStorageCapacity{StorageClassName: "fast", Capacity: pointsTo(resource.MustParse("1Gi"))}
	}
	checkChanges(t, CSIStorageCapacity, base, []change[capacity]{
		{"class", func(c capacity) { c.StorageClassName = "" }, []string{"storageClassName" + isInvalid}},
		{"negative", func(c capacity) { c.Capacity = pointsTo(resource.MustParse("-1")) }, []string{"capacity" + isInvalid}},
	})
	checkUpdates(t, CSIStorageCapacity, base, []change[capacity]{
		{"capacity", func(c capacity) { c.Capacity = nil }, nil},
		{"class", func(c capacity) { c.StorageClassName = "slow" }, []string{"storageClassName" + isInvalid}},
	})
}
