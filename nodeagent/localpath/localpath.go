// Package localpath keeps the directories of this node's own persistent volumes: one below a root for each volume,
// made and removed when the cluster's server asks the node to. What a volume holds lives for as long as the volume.
//
//	volumes := localpath.Folder("/var/lib/leme/agent/volumes")
//	path, err := volumes.Make("pvc-8d0e…")
package localpath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Folder is the root of the volumes.
type Folder string

// Make makes the directory of a volume, which every user of a pod may write to, and returns its path. One that is
// there already stays as it is.
func (f Folder) Make(name string) (string, error) {
	root, err := f.open(name)
	if err != nil {
		return "", err
	}
	defer root.Close()
	err = root.Mkdir(name, 0o777)
	if err == nil {
		err = root.Chmod(name, 0o777) // whatever the process' umask is
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("making the volume's directory: %w", err)
	}
	return filepath.Join(string(f), name), nil
}

// Remove removes a volume with all that it holds. Removing what is gone is no error.
func (f Folder) Remove(name string) error {
	root, err := f.open(name)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.RemoveAll(name); err != nil {
		return fmt.Errorf("removing the volume's directory: %w", err)
	}
	return nil
}

// open returns the root, out of which no name and no link leads.
func (f Folder) open(name string) (*os.Root, error) {
	if wrong := validation.IsDNS1123Subdomain(name); len(wrong) > 0 {
		return nil, fmt.Errorf("%q names no volume: %s", name, strings.Join(wrong, "; "))
	}
	if err := os.MkdirAll(string(f), 0o711); err != nil {
		return nil, fmt.Errorf("making the volumes' folder: %w", err)
	}
	return os.OpenRoot(string(f))
}
