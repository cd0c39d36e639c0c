package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeDir makes a directory that is the agent's own, in the place of whatever else has its name: a file, or a link that
// leads to what is not the agent's.
func MakeDir(dir string, mode os.FileMode) error {
	if err := clearFor(dir, fs.FileMode.IsDir); err != nil {
		return err
	}
	return os.MkdirAll(dir, mode)
}

// ClearForFile removes what has the name of a file and is none.
func ClearForFile(path string) error { return clearFor(path, fs.FileMode.IsRegular) }

// clearFor removes what has a name and is not what it is to be.
func clearFor(path string, is func(fs.FileMode) bool) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && is(info.Mode()) {
		return nil
	}
	if err == nil {
		err = remove(path)
	}
	if err != nil {
		return fmt.Errorf("clearing what is in the place of the agent's own: %w", err)
	}
	return nil
}

// remove takes away what is the agent's, and no more: what somebody has mounted there is not.
func remove(path string) error {
	if err := unmountBelow(path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// leadsToDir takes a link for a directory that leads to one: the pods' may be on another disk.
func leadsToDir(path string) func(fs.FileMode) bool {
	return func(m fs.FileMode) bool {
		info, err := os.Stat(path)
		return m.IsDir() || err == nil && info.IsDir()
	}
}

// makeDirs makes the pod's directory, and one below it with all on the way.
func (p Pod) makeDirs(names ...string) (string, error) {
	if err := clearFor(filepath.Dir(p.Dir), leadsToDir(filepath.Dir(p.Dir))); err != nil {
		return "", err
	}
	dir := p.Dir
	err := MakeDir(dir, 0o750)
	for _, name := range names {
		dir = filepath.Join(dir, name)
		if err == nil {
			err = MakeDir(dir, 0o755)
		}
	}
	return dir, err
}
