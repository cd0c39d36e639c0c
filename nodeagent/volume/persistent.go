package volume

import (
	"context"
	"errors"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/storage/ephemeral"
	"k8s.io/utils/ptr"
)

// persistentVolumeClaim is the volume that a claim is bound to. What it holds is not the pod's, and stays.
type persistentVolumeClaim struct{}

func (persistentVolumeClaim) Name() string { return "persistentVolumeClaim" }

func (persistentVolumeClaim) Uses(s *corev1.VolumeSource) bool { return s.PersistentVolumeClaim != nil }

func (persistentVolumeClaim) SetUp(ctx context.Context, r Request) (string, error) {
	pv, _, err := r.Objects.PersistentVolume(ctx, r.Pod, r.Source.PersistentVolumeClaim.ClaimName)
	if err != nil {
		return "", err
	}
	return persistentPath(r, pv, r.Source.PersistentVolumeClaim.ReadOnly)
}

// ephemeralVolume is that of a claim which was made for the pod alone.
type ephemeralVolume struct{}

func (ephemeralVolume) Name() string                     { return "ephemeral" }
func (ephemeralVolume) Uses(s *corev1.VolumeSource) bool { return s.Ephemeral != nil }

func (ephemeralVolume) SetUp(ctx context.Context, r Request) (string, error) {
	pv, claim, err := r.Objects.PersistentVolume(ctx, r.Pod, ephemeral.VolumeClaimName(r.Pod, &corev1.Volume{Name: r.Name}))
	if err != nil {
		return "", err
	}
	if err := ephemeral.VolumeIsForPod(r.Pod, claim); err != nil {
		return "", err
	}
	return persistentPath(r, pv, false)
}

// persistentPath is where on this host a volume is.
func persistentPath(r Request, pv *corev1.PersistentVolume, readOnly bool) (string, error) {
	s, mode := &pv.Spec.PersistentVolumeSource, ptr.Deref(pv.Spec.VolumeMode, corev1.PersistentVolumeFilesystem)
	if err := usedAs(r, mode); err != nil {
		return "", err
	}
	switch {
	case mode == corev1.PersistentVolumeBlock && s.Local == nil:
		return "", fmt.Errorf("the type %s of persistent volume %s has no block devices", fieldSet(s), pv.Name)
	case mode == corev1.PersistentVolumeBlock:
		return blockDevice(s.Local.Path)
	case s.HostPath != nil:
		return hostDirectory(s.HostPath)
	case s.Local != nil:
		return localVolume(r, s.Local.Path, readOnly)
	}
	return "", fmt.Errorf("the type %s of persistent volume %s is not supported: it is neither local nor hostPath", fieldSet(s), pv.Name)
}

// localVolume gives a local volume to the pod's group, once: the volume's own directory tells that it is done.
func localVolume(r Request, path string, readOnly bool) (string, error) {
	path, err := localDirectory(path)
	if err != nil || readOnly || fsGroup(r.Pod) < 0 {
		return path, err
	}
	if _, err := os.Lstat(r.Dir); err == nil {
		return path, nil
	}
	if err := giveVolume(r.Pod, path); err != nil {
		return "", err
	}
	return path, os.MkdirAll(r.Dir, 0o750)
}

// localDirectory checks a directory that has to be there: its data is what the pod wants.
func localDirectory(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("path %q does not exist", path)
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("path %q is not a directory", path)
	}
	return path, nil
}
