package volume

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type objects struct {
	maps    map[string]*corev1.ConfigMap
	secrets map[string]*corev1.Secret
	bound   map[string]boundClaim
}

type boundClaim struct {
	volume corev1.PersistentVolume
	claim  corev1.PersistentVolumeClaim
}

func (o objects) ConfigMap(_ context.Context, _, name string) (*corev1.ConfigMap, error) {
	if m := o.maps[name]; m != nil {
		return m, nil
	}
	return nil, apierrors.NewNotFound(corev1.Resource("configmaps"), name)
}

func (o objects) Secret(_ context.Context, _, name string) (*corev1.Secret, error) {
	if s := o.secrets[name]; s != nil {
		return s, nil
	}
	return nil, apierrors.NewNotFound(corev1.Resource("secrets"), name)
}

func (o objects) PersistentVolume(_ context.Context, _ *corev1.Pod, claim string) (*corev1.PersistentVolume, *corev1.PersistentVolumeClaim, error) {
	if b, ok := o.bound[claim]; ok {
		return &b.volume, &b.claim, nil
	}
	return nil, nil, fmt.Errorf("PVC %s is not bound", claim)
}

func (o objects) Token(_ context.Context, pod *corev1.Pod, source *corev1.ServiceAccountTokenProjection) (string, error) {
	return "token of " + pod.Name + " for " + source.Audience, nil
}

func (o objects) TrustAnchors(_ context.Context, source *corev1.ClusterTrustBundleProjection) ([]byte, error) {
	return []byte("anchors of " + *source.Name), nil
}

type fields struct{}

func (fields) Field(p *corev1.Pod, ref *corev1.ObjectFieldSelector) (string, error) {
	return ref.FieldPath + " of " + p.Name, nil
}

func (fields) Resource(_ *corev1.Pod, ref *corev1.ResourceFieldSelector) (string, error) {
	return ref.Resource, nil
}

func testObjects() objects {
	return objects{
		maps:    map[string]*corev1.ConfigMap{"cm": {Data: map[string]string{"a": "1", "b": "2"}}},
		secrets: map[string]*corev1.Secret{"s": {Data: map[string][]byte{"key": []byte("hush")}}},
	}
}

func setUp(t *testing.T, o objects, source corev1.VolumeSource) (string, Pod, error) {
	t.Helper()
	p := Pod{Dir: filepath.Join(t.TempDir(), "pod"), Objects: o, Fields: fields{}}
	t.Cleanup(func() {
		if err := p.TearDown(); err != nil {
			t.Error(err)
		}
	})
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns"}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: source}}
	paths, err := p.SetUp(t.Context(), pod)
	return paths["v"], p, err
}

// TestContent: what each type shows as files, or the error it gives.
func TestContent(t *testing.T) {
	yes, strict := true, int32(0o400)
	ref := corev1.LocalObjectReference{Name: "cm"}
	missing := corev1.LocalObjectReference{Name: "missing"}
	for _, c := range []struct {
		name   string
		source corev1.VolumeSource
		want   map[string]string
		err    string
	}{
		{name: "configMap", source: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref}},
			want: map[string]string{"a": "1", "b": "2"}},
		{name: "items", source: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref,
			Items: []corev1.KeyToPath{{Key: "a", Path: "deep/er", Mode: &strict}}}}, want: map[string]string{"deep/er": "1"}},
		{name: "missing item", source: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref,
			Items: []corev1.KeyToPath{{Key: "z", Path: "z"}}}},
			err: `MountVolume.SetUp failed for volume "v" : references non-existent config key: z`},
		{name: "escaping item", source: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref,
			Items: []corev1.KeyToPath{{Key: "a", Path: "../a"}}}},
			err: `MountVolume.SetUp failed for volume "v" : path "../a" is not a relative path inside the volume`},
		{name: "missing", source: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: missing}},
			err: `MountVolume.SetUp failed for volume "v" : configmaps "missing" not found`},
		{name: "optional", source: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: missing, Optional: &yes}},
			want: map[string]string{}},
		{name: "token", source: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", Audience: "vault"}}}}},
			want: map[string]string{"token": "token of p for vault"}},
		{name: "trust", source: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ClusterTrustBundle: &corev1.ClusterTrustBundleProjection{Path: "ca.crt", Name: new("roots")}}}}},
			want: map[string]string{"ca.crt": "anchors of roots"}},
		{name: "secret", source: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}, want: map[string]string{"key": "hush"}},
		{name: "downwardAPI", source: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
			{Path: "name", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}},
			want: map[string]string{"name": "metadata.name of p"}},
		{name: "projected", source: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{Secret: &corev1.SecretProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "s"}}},
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: ref}}}}},
			want: map[string]string{"a": "1", "b": "2", "key": "hush"}},
		{name: "nfs", source: corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{}},
			err: `MountVolume.SetUp failed for volume "v" : volume type "nfs" is not supported`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _, err := setUp(t, testObjects(), c.source)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Fatalf("got %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantFiles(t, path, c.want)
		})
	}
}

func wantFiles(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	for name, content := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != content {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, content)
		}
	}
	visible, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
	if err != nil || len(visible) != len(want) {
		t.Errorf("files %v (%v), want %v", visible, err, want)
	}
}

// TestUpdate: new content appears under the same names, removed keys vanish, and one old directory at most is left.
func TestUpdate(t *testing.T) {
	o := testObjects()
	source := corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}}
	path, p, err := setUp(t, o, source)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.Readlink(filepath.Join(path, dataLink))
	pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "v", VolumeSource: source}}}}
	if _, err := p.SetUp(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	if same, _ := os.Readlink(filepath.Join(path, dataLink)); same != before {
		t.Errorf("equal content was written again: %s, then %s", before, same)
	}
	o.maps["cm"] = &corev1.ConfigMap{Data: map[string]string{"a": "3"}}
	if _, err := p.SetUp(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, path, map[string]string{"a": "3"})
	entries, _ := os.ReadDir(path)
	if len(entries) != 3 { // ..<time>, ..data, a
		t.Errorf("left behind: %v", entries)
	}
}

func TestMemory(t *testing.T) {
	path, p, err := setUp(t, objects{}, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}})
	if err != nil {
		t.Fatal(err)
	}
	if mounted, err := isMountPoint(path); err != nil || !mounted {
		t.Errorf("mounted %v, %v", mounted, err)
	}
	if err := p.TearDown(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.Dir); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
}

// TestSubPath: a symlink in the volume cannot lead a mount out of it; one that stays inside works.
func TestSubPath(t *testing.T) {
	path, p, err := setUp(t, objects{}, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	if err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"absolute": "/etc", "up": "../../..", "inside": "made"} {
		if err := os.Symlink(to, filepath.Join(path, link)); err != nil {
			t.Fatal(err)
		}
	}
	made, err := p.SubPath(path, "made/deep", "c", 0)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(made); err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("a directory that was missing has %v, %v: not what the volume has", info.Mode(), err)
	}
	if err := os.WriteFile(filepath.Join(made, "f"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := p.SubPath(path, "inside/deep/f", "c", 1)
	if got, _ := os.ReadFile(again); err != nil || string(got) != "x" {
		t.Errorf("through an inner link: %q, %v", got, err)
	}
	for _, bad := range []string{"absolute", "absolute/passwd", "up/x", "../x", "/etc"} {
		if got, err := p.SubPath(path, bad, "c", 2); err == nil {
			t.Errorf("%s led to %s", bad, got)
		}
	}
}

func TestHostPath(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		kind corev1.HostPathType
		path string
		ok   bool
	}{
		{corev1.HostPathUnset, dir, true},
		{corev1.HostPathDirectory, dir, true},
		{corev1.HostPathDirectory, dir + "/none", false},
		{corev1.HostPathDirectoryOrCreate, dir + "/d/e", true},
		{corev1.HostPathFileOrCreate, dir + "/f", true},
		{corev1.HostPathFile, dir + "/f", true},
		{corev1.HostPathFile, dir, false},
		{corev1.HostPathCharDev, "/dev/null", true},
		{corev1.HostPathBlockDev, "/dev/null", false},
		{corev1.HostPathSocket, dir, false},
		{corev1.HostPathUnset, "relative", false},
	} {
		_, _, err := setUp(t, objects{}, corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: c.path, Type: &c.kind}})
		if (err == nil) != c.ok {
			t.Errorf("%s %s: %v", c.kind, c.path, err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	for _, c := range []struct {
		source corev1.VolumeSource
		want   bool
	}{
		{corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}, true},
		{corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}, true},
		{corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{}}, true},
		{corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}, true},
		{corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, false},
		{corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{}}, false},
	} {
		if got := ReadOnly(&c.source); got != c.want {
			t.Errorf("%s: %t", sourceName(&c.source), got)
		}
	}
}

// volumesOf is a pod with volumes of ConfigMaps, each named after its own.
func volumesOf(names ...string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns"}}
	for _, n := range names {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: n, VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: n}}}})
	}
	return pod
}
