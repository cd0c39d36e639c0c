package registry

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// uploadOf ends the name of a symbolic link beside an upload: it names the upload's repository, and like the upload's file
// it is there or it is not, whenever the process is killed.
const uploadOf = ".of"

// restoreUploads takes up the uploads that an earlier process had open, each as far as it had come, and removes what else
// was being written. Uploads that nobody goes on with are swept as ever.
func (r *Registry) restoreUploads() error {
	list, err := names(r.uploadDir())
	if err != nil {
		return err
	}
	for _, name := range list {
		id, isLink := strings.CutSuffix(name, uploadOf)
		u, restoreErr := r.restored(id)
		switch {
		case restoreErr != nil:
			return restoreErr
		case u != nil && isLink:
			r.uploads[id] = u
			r.usage.coming.Add(u.size)
		case u == nil:
			if err := os.RemoveAll(filepath.Join(r.uploadDir(), name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// restored is an upload as it lies on the disk; nil when that is not all of one.
func (r *Registry) restored(id string) (*upload, error) {
	path := filepath.Join(r.uploadDir(), id)
	repo, err := os.Readlink(path + uploadOf)
	if err != nil || checkRepo(repo) != nil {
		return nil, nil // no upload's
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &upload{repo: repo, id: id, path: path, size: info.Size(), used: info.ModTime()}, nil
}
