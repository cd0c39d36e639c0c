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
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("hostPath type check failed: %w", err)
	}
	var ok bool
	mode := info.Mode()
	switch want {
	case corev1.HostPathUnset:
		ok = true
	case corev1.HostPathDirectory, corev1.HostPathDirectoryOrCreate:
		ok = mode.IsDir()
	case corev1.HostPathFile, corev1.HostPathFileOrCreate:
		ok = mode.IsRegular()
	case corev1.HostPathSocket:
		ok = mode&os.ModeSocket != 0
	case corev1.HostPathCharDev:
		ok = mode&os.ModeCharDevice != 0
	case corev1.HostPathBlockDev:
		ok = mode&os.ModeDevice != 0 && mode&os.ModeCharDevice == 0
	}
	if !ok {
		return fmt.Errorf("hostPath type check failed: %s is not a %s", path, want)
	}
	return nil
}
