package pull

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// maxRecords bounds the record; the engine holds far fewer images.
const maxRecords = 4096

// records remembers which repository's digest an image came as. The engine cannot: it saw the loopback registry.
type records struct {
	path string
	mu   sync.Mutex
	list []record // oldest first
}

type record struct {
	ImageID    string `json:"imageID"`
	RepoDigest string `json:"repoDigest"`
}

func openRecords(path string) (*records, error) {
	r := &records{path: path}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r.list)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record of digests: %w", err)
	}
	return r, nil
}

func (r *records) get(imageID string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.list {
		if e.ImageID == imageID {
			return e.RepoDigest
		}
	}
	return ""
}

// put remembers a digest, over an older one of the same image.
func (r *records) put(imageID, repoDigest string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make([]record, 0, len(r.list)+1)
	for _, e := range r.list {
		if e.ImageID != imageID {
			next = append(next, e)
		} else if e.RepoDigest == repoDigest {
			return nil
		}
	}
	next = append(next, record{imageID, repoDigest})
	if len(next) > maxRecords {
		next = next[len(next)-maxRecords:]
	}
	data, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := replaceFile(r.path, data); err != nil {
		return fmt.Errorf("recording %s: %w", repoDigest, err)
	}
	r.list = next
	return nil
}

// replaceFile writes a file so that a reader, or a kill, sees the old content or the new.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
