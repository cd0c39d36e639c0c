package kind

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const someClaim = `
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  resources: {requests: {storage: 1Gi}}
`

// stored is an amount of storage.
func stored(size string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
}

func TestValidatePersistentVolumeClaim(t *testing.T) {
	type claim = *corev1.PersistentVolumeClaim
	base := func() claim { return decode[claim](t, PersistentVolumeClaim, someClaim) }
	bound := func() claim {
		c := base()
		c.Spec.VolumeName = "disk"
		c.Status.Phase, c.Status.Capacity = corev1.ClaimBound, stored("1Gi")
		return c
	}
	size := func(s string) func(claim) { return func(c claim) { c.Spec.Resources.Requests = stored(s) } }
	checkChanges(t, PersistentVolumeClaim, base, []change[claim]{
		{"no modes", func(c claim) { c.Spec.AccessModes = nil }, []string{"spec.accessModes" + isRequired}},
		{"no size", func(c claim) { c.Spec.Resources.Requests = nil }, []string{"spec.resources[storage]" + isRequired}},
		{"nothing", size("0"), []string{"spec.resources[storage]" + isInvalid}},
		{"no class", func(c claim) { c.Spec.StorageClassName = pointsTo("") }, nil},
		{"class", func(c claim) { c.Spec.StorageClassName = pointsTo("A_b") }, []string{"spec.storageClassName" + isInvalid}},
		{"mode", func(c claim) { c.Spec.VolumeMode = pointsTo(corev1.PersistentVolumeMode("Tape")) }, []string{"spec.volumeMode" + isNotSupported}},
		{"selector", func(c claim) { c.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"a b": ""}} },
			[]string{"spec.selector.matchLabels" + isInvalid}},
		{"source", func(c claim) { c.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "Pod"} },
			[]string{"spec.dataSource.name" + isRequired, "spec.dataSource" + isInvalid}},
		{"two sources", func(c claim) {
			c.Spec.DataSource = &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "a"}
			c.Spec.DataSourceRef = &corev1.TypedObjectReference{Kind: "PersistentVolumeClaim", Name: "b"}
		}, []string{"spec" + isInvalid}},
	})
	checkUpdates(t, PersistentVolumeClaim, base, []change[claim]{
		{"volume", func(c claim) { c.Spec.VolumeName = "disk" }, nil},
		{"unbound and larger", size("2Gi"), []string{"spec" + isForbidden}},
		{"class", func(c claim) { c.Spec.StorageClassName = pointsTo("slow") }, []string{"spec" + isForbidden}},
	})
	checkUpdates(t, PersistentVolumeClaim, func() claim { c := base(); c.Spec.StorageClassName = nil; return c }, []change[claim]{
		{"class at last", func(c claim) { c.Spec.StorageClassName = pointsTo("fast") }, nil},
	})
	checkUpdates(t, PersistentVolumeClaim, bound, []change[claim]{
		{"larger", size("2Gi"), nil},
		{"smaller than it is", size("512Mi"), []string{"spec.resources.requests.storage" + isForbidden}},
		{"attributes", func(c claim) { c.Spec.VolumeAttributesClassName = pointsTo("gold") }, nil},
		{"other volume", func(c claim) { c.Spec.VolumeName = "other" }, []string{"spec" + isForbidden}},
		{"modes", func(c claim) { c.Spec.AccessModes[0] = corev1.ReadWriteMany }, []string{"spec" + isForbidden}},
		{"volume mode", func(c claim) { c.Spec.VolumeMode = pointsTo(corev1.PersistentVolumeBlock) }, []string{"spec" + isForbidden, "volumeMode" + isInvalid}},
	})
}

func TestClaimStatus(t *testing.T) {
	c := decode[*corev1.PersistentVolumeClaim](t, PersistentVolumeClaim, someClaim)
	c.Status.AllocatedResources = corev1.ResourceList{"cpu": resource.MustParse("1")}
	c.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{corev1.ResourceStorage: "Growing"}
	got := causes(PersistentVolumeClaim.ValidateStatus(c, c))
	want := []string{"status.allocatedResourceStatuses" + isNotSupported, "status.allocatedResources" + isNotSupported}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDataSources(t *testing.T) {
	claimOf := func(source *corev1.TypedLocalObjectReference, ref *corev1.TypedObjectReference) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{Spec: corev1.PersistentVolumeClaimSpec{DataSource: source, DataSourceRef: ref}}
	}
	group := pointsTo("snapshot.storage.k8s.io")
	for _, test := range []struct {
		name          string
		claim         *corev1.PersistentVolumeClaim
		source, inRef string
	}{
		{"a snapshot", claimOf(&corev1.TypedLocalObjectReference{APIGroup: group, Kind: "VolumeSnapshot", Name: "s"}, nil), "s", "s"},
		{"a claim by reference", claimOf(nil, &corev1.TypedObjectReference{Kind: "PersistentVolumeClaim", Name: "c"}), "c", "c"},
		{"what was never possible", claimOf(&corev1.TypedLocalObjectReference{Kind: "Pod", Name: "p"}, nil), "", ""},
		{"another namespace", claimOf(nil, &corev1.TypedObjectReference{Kind: "PersistentVolumeClaim", Name: "c", Namespace: pointsTo("n")}), "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			PersistentVolumeClaim.PrepareCreate(test.claim)
			var source, ref string
			if s := test.claim.Spec.DataSource; s != nil {
				source = s.Name
			}
			if r := test.claim.Spec.DataSourceRef; r != nil {
				ref = r.Name
			}
			if source != test.source || ref != test.inRef {
				t.Errorf("got %q and %q", source, ref)
			}
		})
	}
}

func TestEphemeralVolumes(t *testing.T) {
	type pod = *corev1.Pod
	spec := decode[*corev1.PersistentVolumeClaim](t, PersistentVolumeClaim, someClaim).Spec
	base := func() pod {
		p := basePod()
		p.Name = "web"
		p.Spec.Volumes = append(p.Spec.Volumes,
			corev1.Volume{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{
				VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{Spec: *spec.DeepCopy()}}}},
			corev1.Volume{Name: "own", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}})
		return p
	}
	n := len(basePod().Spec.Volumes)
	ephemeral := func(p pod) *corev1.EphemeralVolumeSource { return p.Spec.Volumes[n].Ephemeral }
	at := "spec.volumes[" + string(rune('0'+n)) + "]"
	checkChanges(t, Pod, base, []change[pod]{
		{"no template", func(p pod) { ephemeral(p).VolumeClaimTemplate = nil }, []string{at + ".ephemeral.volumeClaimTemplate" + isRequired}},
		{"template's modes", func(p pod) { ephemeral(p).VolumeClaimTemplate.Spec.AccessModes = nil },
			[]string{at + ".ephemeral.volumeClaimTemplate.spec.accessModes" + isRequired}},
		{"template's name", func(p pod) { ephemeral(p).VolumeClaimTemplate.Name = "x" },
			[]string{at + ".ephemeral.volumeClaimTemplate.metadata.name" + isForbidden}},
		{"the pod's own claim", func(p pod) { p.Spec.Volumes[n+1].PersistentVolumeClaim.ClaimName = "web-scratch" },
			[]string{"spec.volumes[" + string(rune('0'+n+1)) + "].persistentVolumeClaim.claimName" + isInvalid}},
	})
}
