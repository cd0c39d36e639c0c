package volume

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
)

// hostPath is a path of the host itself, checked against the type that the pod asks for.
type hostPath struct{}

func (hostPath) Name() string                     { return "hostPath" }
func (hostPath) Uses(s *corev1.VolumeSource) bool { return s.HostPath != nil }

func (hostPath) SetUp(_ context.Context, r Request) (string, error) {
	return hostDirectory(r.Source.HostPath)
}

// hostDirectory makes and checks a path of the host as its type says; it may be a file, too.
func hostDirectory(s *corev1.HostPathVolumeSource) (string, error) {
	if !filepath.IsAbs(s.Path) {
		return "", fmt.Errorf("hostPath %q is not absolute", s.Path)
	}
	want := corev1.HostPathUnset
	if s.Type != nil {
		want = *s.Type
	}
	if err := createHostPath(s.Path, want); err != nil {
		return "", err
	}
	return s.Path, checkHostPath(s.Path, want)
}

// createHostPath makes what the types ending in OrCreate ask for. Without a type, the engine would make
// a missing directory itself: made here so that all engines agree.
func createHostPath(path string, want corev1.HostPathType) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	switch want {
	case corev1.HostPathUnset, corev1.HostPathDirectoryOrCreate:
		return os.MkdirAll(path, 0o755)
	case corev1.HostPathFileOrCreate:
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
		if err != nil {
			return err
		}
		return f.Close()
	}
	return nil
}

func checkHostPath(path string, want corev1.HostPathType) error {
	for _, t := range hostPathTypes {
		if t.name != want {
			continue
		}
		if info, err := os.Stat(path); err != nil || !t.is(info.Mode()) {
			return fmt.Errorf("hostPath type check failed: %s is not a %s", path, t.words)
		}
		return nil
	}
	if want == corev1.HostPathUnset {
		return nil
	}
	return fmt.Errorf("%s is an invalid volume type", want)
}

// hostPathTypes are what a path of the host can be asked to be, and how the kubelet calls it.
var hostPathTypes = []struct {
	name  corev1.HostPathType
	words string
	is    func(os.FileMode) bool
}{
	{corev1.HostPathDirectory, "directory", os.FileMode.IsDir},
	{corev1.HostPathDirectoryOrCreate, "directory", os.FileMode.IsDir},
	{corev1.HostPathFile, "file", os.FileMode.IsRegular},
	{corev1.HostPathFileOrCreate, "file", os.FileMode.IsRegular},
	{corev1.HostPathSocket, "socket file", func(m os.FileMode) bool { return m&os.ModeSocket != 0 }},
	{corev1.HostPathCharDev, "character device", func(m os.FileMode) bool { return m&os.ModeCharDevice != 0 }},
	{corev1.HostPathBlockDev, "block device", func(m os.FileMode) bool { return m&os.ModeDevice != 0 && m&os.ModeCharDevice == 0 }},
}
