package pod

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// files is what the agent puts beside a pod's volumes, to be bound into its containers:
//
//	hosts                               /etc/hosts
//	resolv.conf                         /etc/resolv.conf
//	containers/<name>/<attempt>         where a container writes its termination message
type files struct {
	dir string // the pod's
}

// write puts the content into the file that running containers have bound: in place, and only when it differs.
func (f files) write(name string, content []byte) (string, error) {
	path := filepath.Join(f.dir, name)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return path, nil
	}
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		return "", err
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o644)
}

func (f files) messagePath(container string, attempt int) string {
	return filepath.Join(f.dir, "containers", container, strconv.Itoa(attempt))
}

// messageFile makes the empty file for an attempt's termination message; those of attempts long gone go.
func (f files) messageFile(container string, attempt int) (string, error) {
	path := f.messagePath(container, attempt)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return "", err
	}
	if attempt > 1 {
		if err := os.Remove(f.messagePath(container, attempt-2)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		return "", err
	}
	return path, os.Chmod(path, 0o666) // any user of the container may write
}

// mounts are the files that every container of a pod gets, but where it mounts something itself.
func (f files) mounts(c *corev1.Container, attempt int, hosts, resolvConf []byte) ([]Mount, error) {
	taken := map[string]bool{}
	for _, m := range c.VolumeMounts {
		taken[filepath.Clean(m.MountPath)] = true
	}
	var mounts []Mount
	for _, file := range []struct {
		name, at string
		content  []byte
	}{{"hosts", "/etc/hosts", hosts}, {"resolv.conf", "/etc/resolv.conf", resolvConf}} {
		if taken[file.at] {
			continue
		}
		path, err := f.write(file.name, file.content)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", file.at, err)
		}
		mounts = append(mounts, Mount{HostPath: path, ContainerPath: file.at})
	}
	if c.TerminationMessagePath == "" || taken[filepath.Clean(c.TerminationMessagePath)] {
		return mounts, nil
	}
	path, err := f.messageFile(c.Name, attempt)
	if err != nil {
		return nil, fmt.Errorf("making the termination message's file: %w", err)
	}
	return append(mounts, Mount{HostPath: path, ContainerPath: c.TerminationMessagePath}), nil
}
