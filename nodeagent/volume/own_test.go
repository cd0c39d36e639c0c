package volume

import (
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// outside is a directory that is not the agent's, with a file in it and a file system mounted.
func outside(t *testing.T) (dir string, whole func()) {
	dir, inner := hostTree(t)
	file := filepath.Join(inner, "theirs")
	if err := os.WriteFile(file, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		t.Helper()
		if content, err := os.ReadFile(file); err != nil || string(content) != "theirs" {
			t.Errorf("what is not the agent's: %q, %v", content, err)
		}
	}
}

// garbage is what may be found where the agent left something, by what it is.
func garbage(t *testing.T, elsewhere string) map[string]func(path string) {
	t.Helper()
	try := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]func(string){
		"nothing":          func(string) {},
		"a file":           func(path string) { try(os.WriteFile(path, []byte("rubbish"), 0)) },
		"a link":           func(path string) { try(os.Symlink(elsewhere, path)) },
		"a link to no one": func(path string) { try(os.Symlink("nowhere/at/all", path)) },
		"a directory":      func(path string) { try(os.MkdirAll(filepath.Join(path, "deep", "er"), 0)) },
	}
}

// TestGarbage: whatever somebody puts in the place of what is the agent's, the volumes become what they must be, nothing
// else is touched, and all of it goes.
func TestGarbage(t *testing.T) {
	elsewhere, whole := outside(t)
	config := corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}}
	memory := corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns"}, Spec: corev1.PodSpec{Volumes: []corev1.Volume{
		{Name: "disk", VolumeSource: emptyDirSource}, {Name: "memory", VolumeSource: memory}, {Name: "cm", VolumeSource: config}}}}
	for what, put := range garbage(t, elsewhere) {
		for _, place := range []string{
			"..", ".", "volumes", "volumes/disk", "volumes/memory", "volumes/cm", "volumes/cm/..data", "volumes/cm/..data_tmp", "volumes/cm/a",
			"volumes/cm/stranger", "subpaths", "subpaths/c", "subpaths/c/0", "readonly/c",
		} {
			if place == ".." && what == "a link" {
				continue // the agent's home may be anywhere
			}
			t.Run(what+" at "+place, func(t *testing.T) {
				p := Pod{Dir: filepath.Join(t.TempDir(), "pods", "uid"), Objects: testObjects(), Fields: fields{}}
				use(t, p, pod)
				at := filepath.Join(p.Dir, place)
				if err := remove(at); err != nil {
					t.Fatal(err)
				}
				put(at)
				use(t, p, pod)
				whole()
				if err := os.Chmod(p.Dir, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := p.TearDown(); err != nil {
					t.Error(err)
				}
				if _, err := os.Lstat(p.Dir); !os.IsNotExist(err) {
					t.Errorf("the pod's directory is still there: %v", err)
				}
				whole()
			})
		}
	}
}

// use sets all volumes up, and tries them as a container has them.
func use(t *testing.T, p Pod, pod *corev1.Pod) {
	t.Helper()
	paths, err := p.SetUp(t.Context(), pod)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"disk", "memory"} {
		info, err := os.Lstat(paths[name])
		if err != nil || !info.IsDir() {
			t.Fatalf("%s is %v, %v", name, info, err)
		}
		if err := os.WriteFile(filepath.Join(paths[name], "f"), []byte("x"), 0o600); err != nil {
			t.Error(err)
		}
	}
	if mounted, err := isMountPoint(paths["memory"]); err != nil || !mounted {
		t.Errorf("the memory is on the disk: %v", err)
	}
	wantFiles(t, paths["cm"], map[string]string{"a": "1", "b": "2"})
	part, err := p.SubPath(paths["disk"], "part", "c", 0)
	if err == nil {
		_, err = p.ReadOnly(part, "c", 0)
	}
	if err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(p.Dir, "volumes", "..*")); err != nil || len(left) > 0 {
		t.Errorf("halfway things are left: %v, %v", left, err)
	}
}

var emptyDirSource = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}

// TestTearDownOfALink: what is in the place of a pod's directory leads elsewhere, where everything stays.
func TestTearDownOfALink(t *testing.T) {
	elsewhere, whole := outside(t)
	p := Pod{Dir: filepath.Join(t.TempDir(), "uid")}
	if err := os.Symlink(elsewhere, p.Dir); err != nil {
		t.Fatal(err)
	}
	if err := p.TearDown(); err != nil {
		t.Fatal(err)
	}
	whole()
	if _, err := os.Lstat(p.Dir); !os.IsNotExist(err) {
		t.Errorf("the link is still there: %v", err)
	}
}
