package volume

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// emptyDir is a directory that lives as long as its pod: on disk, or in memory with a size limit.
type emptyDir struct{}

func (emptyDir) Name() string                     { return "emptyDir" }
func (emptyDir) Uses(s *corev1.VolumeSource) bool { return s.EmptyDir != nil }

func (emptyDir) SetUp(_ context.Context, r Request) (string, error) {
	source := r.Source.EmptyDir
	if err := os.MkdirAll(r.Dir, 0o777); err != nil {
		return "", err
	}
	switch source.Medium {
	case corev1.StorageMediumDefault:
	case corev1.StorageMediumMemory:
		if err := mountTmpfs(r.Dir, tmpfsSize(r.Pod, source), 0o777); err != nil {
			return "", err
		}
	default:
		return "", fmt.Errorf("medium %q is not supported", source.Medium)
	}
	return r.Dir, openTo(r.Dir, fsGroup(r.Pod))
}

// openTo lets every user, or the pod's group, write into a new volume's directory.
func openTo(dir string, group int) error {
	mode := os.FileMode(0o777)
	if group >= 0 {
		mode |= os.ModeSetgid
		if err := os.Chown(dir, -1, group); err != nil {
			return fmt.Errorf("giving the volume to group %d: %w", group, err)
		}
	}
	return os.Chmod(dir, mode)
}

// tmpfsSize is the volume's own limit, at most the memory that the pod may use; 0 when neither is set.
func tmpfsSize(pod *corev1.Pod, source *corev1.EmptyDirVolumeSource) int64 {
	size := podMemoryLimit(pod)
	if own := source.SizeLimit; own != nil && own.Value() > 0 && (size == 0 || own.Value() < size) {
		size = own.Value()
	}
	return size
}

// podMemoryLimit adds up the containers' memory limits; 0 when one has none.
func podMemoryLimit(pod *corev1.Pod) int64 {
	var total int64
	for i := range pod.Spec.Containers {
		limit, ok := pod.Spec.Containers[i].Resources.Limits[corev1.ResourceMemory]
		if !ok {
			return 0
		}
		total += limit.Value()
	}
	return total
}

// fsGroup is the group that owns the pod's volumes; -1 when none is set.
func fsGroup(pod *corev1.Pod) int {
	if sc := pod.Spec.SecurityContext; sc != nil && sc.FSGroup != nil {
		return int(*sc.FSGroup)
	}
	return -1
}
