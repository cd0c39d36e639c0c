package volume

import (
	"fmt"
	"io/fs"
	"os"

	corev1 "k8s.io/api/core/v1"
)

// blockDevice checks a device that containers get as it is.
func blockDevice(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !IsBlockDevice(info) {
		return "", fmt.Errorf("path %q is not a block device", path)
	}
	return path, nil
}

// IsBlockDevice tells devices that hold data from all other files.
func IsBlockDevice(info fs.FileInfo) bool {
	return info.Mode()&fs.ModeDevice != 0 && info.Mode()&fs.ModeCharDevice == 0
}

// usedAs refuses a volume that a container wants to be what it is not: a directory or a device.
func usedAs(r Request, mode corev1.PersistentVolumeMode) error {
	mounted, given := uses(r.Pod, r.Name)
	switch {
	case mounted && mode != corev1.PersistentVolumeFilesystem:
		return fmt.Errorf("volume %s has volumeMode %s, but is specified in volumeMounts", r.Name, mode)
	case given && mode != corev1.PersistentVolumeBlock:
		return fmt.Errorf("volume %s has volumeMode %s, but is specified in volumeDevices", r.Name, mode)
	}
	return nil
}

// uses says whether containers mount a volume, and whether they are given it as a device.
func uses(pod *corev1.Pod, volume string) (mounted, given bool) {
	see := func(mounts []corev1.VolumeMount, devices []corev1.VolumeDevice) {
		for _, m := range mounts {
			mounted = mounted || m.Name == volume
		}
		for _, d := range devices {
			given = given || d.Name == volume
		}
	}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			see(list[i].VolumeMounts, list[i].VolumeDevices)
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		see(pod.Spec.EphemeralContainers[i].VolumeMounts, pod.Spec.EphemeralContainers[i].VolumeDevices)
	}
	return mounted, given
}
