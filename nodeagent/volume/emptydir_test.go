package volume

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestEmptyDirIsThePods: what a pod makes of its directory is not undone when the other volumes are brought up to date.
func TestEmptyDirIsThePods(t *testing.T) {
	for _, medium := range []corev1.StorageMedium{corev1.StorageMediumDefault, corev1.StorageMediumMemory} {
		source := corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: medium}}
		path, p, err := setUp(t, objects{}, source)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != os.ModeDir|0o777 {
			t.Errorf("%q begins as %v, %v", medium, info.Mode(), err)
		}
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
		pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "v", VolumeSource: source}}}}
		if _, err := p.SetUp(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != os.ModeDir|0o700 {
			t.Errorf("%q: the pod's own permissions became %v, %v", medium, info.Mode(), err)
		}
	}
}

// TestMemoryLimits: a volume in memory holds what it says, at most what the pod may use, at most what all pods may.
func TestMemoryLimits(t *testing.T) {
	limited := func(amount string) corev1.Container {
		return corev1.Container{Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(amount)}}}
	}
	for name, test := range map[string]struct {
		spec corev1.PodSpec
		own  string
		want int64
	}{
		"nothing said":           {corev1.PodSpec{Containers: []corev1.Container{{}}}, "0", 64 << 20},
		"its own":                {corev1.PodSpec{Containers: []corev1.Container{{}}}, "1Mi", 1 << 20},
		"more than there is":     {corev1.PodSpec{Containers: []corev1.Container{{}}}, "1Gi", 64 << 20},
		"the pod's":              {corev1.PodSpec{Containers: []corev1.Container{limited("2Mi"), limited("3Mi")}}, "8Mi", 5 << 20},
		"one container without":  {corev1.PodSpec{Containers: []corev1.Container{limited("2Mi"), {}}}, "0", 64 << 20},
		"a large init container": {corev1.PodSpec{InitContainers: []corev1.Container{limited("7Mi")}, Containers: []corev1.Container{limited("2Mi")}}, "0", 7 << 20},
	} {
		limit := resource.MustParse(test.own)
		p := Pod{Dir: filepath.Join(t.TempDir(), "pod"), Memory: 64 << 20}
		test.spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
			EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &limit}}}}
		paths, err := p.SetUp(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: test.spec})
		if err != nil {
			t.Fatal(err)
		}
		var stat unix.Statfs_t
		if err := unix.Statfs(paths["v"], &stat); err != nil || int64(stat.Blocks)*stat.Bsize != test.want {
			t.Errorf("%s: %d bytes, %v; want %d", name, int64(stat.Blocks)*stat.Bsize, err, test.want)
		}
		if err := p.TearDown(); err != nil {
			t.Error(err)
		}
	}
}

// TestHugePages: which pages a volume is of, and that it is mounted where the kernel has such.
func TestHugePages(t *testing.T) {
	asks := func(names ...corev1.ResourceName) *corev1.Pod {
		p := &corev1.Pod{}
		for _, n := range names {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{n: resource.MustParse("2Mi")}}})
		}
		return p
	}
	for name, test := range map[string]struct {
		pod    *corev1.Pod
		medium corev1.StorageMedium
		want   string // a size, or words of an error
	}{
		"named":   {asks(), "HugePages-1Gi", "1Gi"},
		"asked":   {asks("hugepages-2Mi", "hugepages-2Mi", "memory"), "HugePages", "2Mi"},
		"none":    {asks("memory"), "HugePages", "there is no resource request for huge pages"},
		"several": {asks("hugepages-2Mi", "hugepages-1Gi"), "HugePages", "multiple huge page sizes"},
		"no size": {asks(), "HugePages-big", "names no size of pages"},
	} {
		size, err := pageSize(test.pod, test.medium)
		if err == nil && size.String() != test.want || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %s, %v", name, size.String(), err)
		}
	}
	if _, err := os.Stat("/sys/kernel/mm/hugepages/hugepages-2048kB"); err != nil {
		t.Skip("this kernel has no huge pages of 2 MiB")
	}
	path, p, err := setUp(t, objects{}, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: "HugePages-2Mi"}})
	if err != nil {
		t.Fatal(err)
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(path, &stat); err != nil || stat.Type != unix.HUGETLBFS_MAGIC || stat.Bsize != 2<<20 {
		t.Errorf("a file system of type %x with pages of %d, %v", stat.Type, stat.Bsize, err)
	}
	if err := p.TearDown(); err != nil {
		t.Error(err)
	}
}
