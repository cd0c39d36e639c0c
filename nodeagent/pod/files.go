package pod

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/volume"
)

// files is what the agent puts beside a pod's volumes, to be bound into its containers:
//
//	hosts                               /etc/hosts
//	resolv.conf                         /etc/resolv.conf
//	containers/<name>/<attempt>         where a container writes its termination message
type files struct {
	dir string // the pod's
}

// write puts the content into the file that running containers have bound: in place, and only when it differs. On a disk
// that is full the file stays as it was, as long as the new content needs no more room.
func (f files) write(name string, content []byte) (string, error) {
	path := filepath.Join(f.dir, name)
	if err := volume.MakeDir(f.dir, 0o750); err != nil {
		return "", err
	}
	if err := volume.ClearForFile(path); err != nil {
		return "", err
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return path, os.Chmod(path, 0o644)
	}
	return path, overwrite(path, content, 0o644)
}

// overwrite is os.WriteFile that does not give the file's room away first, and sets its permissions in any case.
func overwrite(path string, content []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Truncate(int64(len(content)))
	}
	if err == nil {
		err = file.Chmod(mode)
	}
	return errors.Join(err, file.Close())
}

func (f files) messagePath(container string, attempt int) string {
	return filepath.Join(f.dir, "containers", container, strconv.Itoa(attempt))
}

// messageFile makes the empty file for an attempt's termination message; those of attempts long gone go.
func (f files) messageFile(container string, attempt int) (string, error) {
	path := f.messagePath(container, attempt)
	for _, dir := range []string{f.dir, filepath.Dir(filepath.Dir(path)), filepath.Dir(path)} {
		if err := volume.MakeDir(dir, 0o750); err != nil {
			return "", err
		}
	}
	if attempt > 1 {
		if err := os.RemoveAll(f.messagePath(container, attempt-2)); err != nil {
			return "", err
		}
	}
	if err := volume.ClearForFile(path); err != nil {
		return "", err
	}
	return path, overwrite(path, nil, 0o666) // any user of the container may write
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
