package volume

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const group = 12345

// owned tells of a file's group and permissions.
func owned(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %v", info.Sys().(*syscall.Stat_t).Gid, info.Mode())
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root gives files to others")
	}
}

// TestFSGroup: a volume that outlives the pod is given to the pod's group: once, as the policy says, and not what links
// in it lead to.
func TestFSGroup(t *testing.T) {
	needRoot(t)
	outside := filepath.Join(t.TempDir(), "outside")
	volume := t.TempDir()
	for path, mode := range map[string]os.FileMode{outside: 0o600, filepath.Join(volume, "file"): 0o640, filepath.Join(volume, "program"): 0o700} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(volume, "dir", "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(volume, "link")); err != nil {
		t.Fatal(err)
	}
	before := owned(t, outside)
	mismatch := corev1.FSGroupChangeOnRootMismatch
	set := func(uid string, policy *corev1.PodFSGroupChangePolicy, readOnly bool) {
		t.Helper()
		o := objects{bound: map[string]boundClaim{"data": {volume: corev1.PersistentVolume{Spec: corev1.PersistentVolumeSpec{
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: volume}}}}}}}
		p := Pod{Dir: filepath.Join(t.TempDir(), uid), Objects: o}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{
			SecurityContext: &corev1.PodSecurityContext{FSGroup: new(int64(group)), FSGroupChangePolicy: policy},
			Volumes: []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data", ReadOnly: readOnly}}}},
		}}
		for range 2 { // the second time changes nothing
			if _, err := p.SetUp(t.Context(), pod); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(volume, "file"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	set("reader", nil, true)
	if got := owned(t, filepath.Join(volume, "dir")); got != "0 drwx------" {
		t.Errorf("a reader's volume: %s", got)
	}
	set("first", nil, false)
	for path, want := range map[string]string{
		volume: "12345 dgrwxrwxr-x", filepath.Join(volume, "file"): "12345 -rw-------", filepath.Join(volume, "program"): "12345 -rwxrw----",
		filepath.Join(volume, "dir", "deep"): "12345 dgrwxrwx---", outside: before,
	} {
		if got := owned(t, path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if got := owned(t, filepath.Join(volume, "link")); got[:5] != "12345" {
		t.Errorf("the link: %s", got)
	}
	set("second", &mismatch, false)
	if got := owned(t, filepath.Join(volume, "file")); got != "12345 -rw-------" {
		t.Errorf("though the directory is the group's: %s", got)
	}
}

// TestOwnersOfFiles: what is made of the API's objects is the group's to read, and tokens are for the one user alone.
func TestOwnersOfFiles(t *testing.T) {
	needRoot(t)
	token := corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
		{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "deep/token"}},
		{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "cm"}}},
	}}}
	for name, test := range map[string]struct {
		security  *corev1.PodSecurityContext
		container *corev1.SecurityContext
		want      string // user, group and mode of the token; then of another file; then of the directory
	}{
		"nobody in particular": {nil, nil, "0 0 -rw-r--r--, 0 0 -rw-r--r--, 0 0 drwxr-xr-x"},
		"a group":              {&corev1.PodSecurityContext{FSGroup: new(int64(group))}, nil, "0 12345 -rw-r-----, 0 12345 -rw-r--r--, 0 12345 dgrwxr-xr-x"},
		"a user":               {&corev1.PodSecurityContext{RunAsUser: new(int64(7))}, nil, "7 0 -rw-------, 0 0 -rw-r--r--, 0 0 drwxr-xr-x"},
		"a container's user":   {nil, &corev1.SecurityContext{RunAsUser: new(int64(8))}, "8 0 -rw-------, 0 0 -rw-r--r--, 0 0 drwxr-xr-x"},
	} {
		p := Pod{Dir: filepath.Join(t.TempDir(), "pod"), Objects: testObjects()}
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{
			SecurityContext: test.security, Containers: []corev1.Container{{Name: "c", SecurityContext: test.container}},
			Volumes: []corev1.Volume{{Name: "v", VolumeSource: token}},
		}}
		paths, err := p.SetUp(t.Context(), pod)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, file := range []string{"deep/token", "a", "deep"} {
			info, err := os.Stat(filepath.Join(paths["v"], file))
			if err != nil {
				t.Fatal(err)
			}
			s := info.Sys().(*syscall.Stat_t)
			got = append(got, fmt.Sprintf("%d %d %v", s.Uid, s.Gid, info.Mode()))
		}
		if joined := fmt.Sprintf("%s, %s, %s", got[0], got[1], got[2]); joined != test.want {
			t.Errorf("%s: %s\nwant %s", name, joined, test.want)
		}
		if err := p.TearDown(); err != nil {
			t.Error(err)
		}
	}
}
