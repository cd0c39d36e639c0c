package volume

import (
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPersistentVolumes(t *testing.T) {
	there, made := t.TempDir(), filepath.Join(t.TempDir(), "made")
	create, block := corev1.HostPathDirectoryOrCreate, corev1.PersistentVolumeBlock
	at := func(s corev1.PersistentVolumeSource, mutate ...func(*boundClaim)) boundClaim {
		b := boundClaim{volume: corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv"}, Spec: corev1.PersistentVolumeSpec{PersistentVolumeSource: s}}}
		for _, m := range mutate {
			m(&b)
		}
		return b
	}
	local := func(path string) corev1.PersistentVolumeSource {
		return corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}}
	}
	mine := func(b *boundClaim) {
		b.claim = corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", OwnerReferences: []metav1.OwnerReference{{UID: "", Controller: new(true)}}}}
	}
	o := objects{bound: map[string]boundClaim{
		"local":      at(local(there)),
		"missing":    at(local(there + "/nothing")),
		"block":      at(local(there), func(b *boundClaim) { b.volume.Spec.VolumeMode = &block }),
		"host":       at(corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: made, Type: &create}}),
		"host-block": at(corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: made}}, func(b *boundClaim) { b.volume.Spec.VolumeMode = &block }),
		"nfs":        at(corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{}}),
		"p-v":        at(local(there), mine),
	}}
	claim := func(name string) corev1.VolumeSource {
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}
	}
	own := corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}
	for _, test := range []struct {
		name   string
		source corev1.VolumeSource
		want   string
		err    string
	}{
		{"local", claim("local"), there, ""},
		{"local, gone", claim("missing"), "", "does not exist"},
		{"a directory as a device", claim("block"), "", "is not a block device"},
		{"a device of the host", claim("host-block"), "", "the type hostPath of persistent volume pv has no block devices"},
		{"of the host", claim("host"), made, ""},
		{"elsewhere", claim("nfs"), "", "is not supported"},
		{"unbound", claim("pending"), "", "PVC pending is not bound"},
		{"the pod's own", own, there, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, _, err := setUp(t, o, test.source)
			if path != test.want || test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("got %q, %v", path, err)
			}
		})
	}
	o.bound["p-v"] = at(local(there))
	if _, _, err := setUp(t, o, own); err == nil || !strings.Contains(err.Error(), "was not created for pod") {
		t.Errorf("another's claim gives %v", err)
	}
	for _, want := range []bool{false, true} {
		s := claim("local")
		s.PersistentVolumeClaim.ReadOnly = want
		if ReadOnly(&s) != want {
			t.Errorf("a claim's volume is read-only: %t, want %t", !want, want)
		}
	}
}

// TestUsedAs: a volume is a directory or a device, and no container can have it as the other.
func TestUsedAs(t *testing.T) {
	mounts, devices := []corev1.VolumeMount{{Name: "v"}}, []corev1.VolumeDevice{{Name: "v"}}
	ephemeral := corev1.EphemeralContainer{EphemeralContainerCommon: corev1.EphemeralContainerCommon{VolumeDevices: devices}}
	for _, c := range []struct {
		name string
		spec corev1.PodSpec
		mode corev1.PersistentVolumeMode
		want string
	}{
		{"a directory, mounted", corev1.PodSpec{Containers: []corev1.Container{{VolumeMounts: mounts}}}, corev1.PersistentVolumeFilesystem, ""},
		{"a device, given", corev1.PodSpec{InitContainers: []corev1.Container{{VolumeDevices: devices}}}, corev1.PersistentVolumeBlock, ""},
		{"a device, mounted", corev1.PodSpec{Containers: []corev1.Container{{VolumeMounts: mounts}}}, corev1.PersistentVolumeBlock,
			"volume v has volumeMode Block, but is specified in volumeMounts"},
		{"a directory, given", corev1.PodSpec{EphemeralContainers: []corev1.EphemeralContainer{ephemeral}}, corev1.PersistentVolumeFilesystem,
			"volume v has volumeMode Filesystem, but is specified in volumeDevices"},
	} {
		err := usedAs(Request{Pod: &corev1.Pod{Spec: c.spec}, Name: "v"}, c.mode)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
