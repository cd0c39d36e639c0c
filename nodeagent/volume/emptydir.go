package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
)

// emptyDir is a directory that lives as long as its pod: on disk, in memory with a size limit, or in huge pages.
type emptyDir struct{}

func (emptyDir) Name() string                     { return "emptyDir" }
func (emptyDir) Uses(s *corev1.VolumeSource) bool { return s.EmptyDir != nil }

func (emptyDir) SetUp(_ context.Context, r Request) (string, error) {
	switch medium := r.Source.EmptyDir.Medium; {
	case medium == corev1.StorageMediumDefault:
		return r.Dir, makeOpen(r.Dir, fsGroup(r.Pod))
	case medium == corev1.StorageMediumMemory:
		return r.Dir, mountOpen(r, func() error { return mountTmpfs(r.Dir, tmpfsSize(r), 0o777) })
	case medium == corev1.StorageMediumHugePages, isHugePages(medium):
		return r.Dir, mountOpen(r, func() error { return mountHugePages(r.Pod, medium, r.Dir) })
	default:
		return "", fmt.Errorf("unknown storage medium %q", medium)
	}
}

// makeOpen makes a directory that every user, and the pod's group, may write to. It has its name once it is whole; one
// that is there is the pod's, with whatever the pod has made of it.
func makeOpen(dir string, group int) error {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "..new-")
	if err == nil {
		err = openTo(fresh, group)
	}
	if err == nil {
		err = os.Rename(fresh, dir)
	}
	if err != nil && fresh != "" {
		err = errors.Join(err, os.RemoveAll(fresh))
	}
	return err
}

// mountOpen mounts a file system that every user, and the pod's group, may write to, unless it is mounted.
func mountOpen(r Request, mount func() error) error {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return err
	}
	if mounted, err := isMountPoint(r.Dir); mounted || err != nil {
		return err
	}
	if err := mount(); err != nil {
		return err
	}
	return openTo(r.Dir, fsGroup(r.Pod))
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

// tmpfsSize is the volume's own limit, at most the memory that the pod may use, at most what all pods may; 0 when none
// of them is known.
func tmpfsSize(r Request) int64 {
	size := r.Memory
	if limit := podMemoryLimit(r.Pod); limit > 0 && (size == 0 || limit < size) {
		size = limit
	}
	if own := r.Source.EmptyDir.SizeLimit; own != nil && own.Value() > 0 && (size == 0 || own.Value() < size) {
		size = own.Value()
	}
	return size
}

// podMemoryLimit is what a pod's containers may use together; 0 when one of them has no limit.
func podMemoryLimit(pod *corev1.Pod) int64 {
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if list[i].Resources.Limits.Memory().IsZero() {
				return 0
			}
		}
	}
	limits := resourcehelper.PodLimits(pod, resourcehelper.PodResourcesOptions{})
	return limits.Memory().Value()
}
