package pull

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// What opened an image, beside secrets.
const (
	fromNobody = ""     // it is open to all
	fromNode   = "node" // the node's own credentials: every pod of the node may use it
)

// source names a secret and what it says, so that it is known again by either, and tells nobody what that is.
func (s Secret) source() string {
	return fmt.Sprintf("%s|%s", s.coordinates(), s.digest())
}

func (s Secret) coordinates() string { return strings.Join([]string{s.Namespace, s.Name, s.UID}, "/") }

func (s Secret) digest() string {
	return fmt.Sprintf("%x", sha256.Sum256(append(s.DockerConfigJSON, s.DockerCfg...)))
}

// records remember on disk which credentials opened the images that were pulled: a file for each image, named by its
// ID. They make that a pod cannot use a private image only because another one has brought it to the node.
type records struct {
	dir string
	log *slog.Logger
	mu  sync.Mutex
}

// record is what is known of one image: by repository, the sources that have opened it.
type record map[string][]string

func (r *records) path(imageID string) string {
	return filepath.Join(r.dir, strings.Replace(imageID, ":", "-", 1)+".json")
}

func (r *records) read(imageID string) (record, error) {
	data, err := os.ReadFile(r.path(imageID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rec record
	if err := json.Unmarshal(data, &rec); err != nil {
		return record{}, nil // damaged: it was pulled, with nobody knows what
	}
	return rec, nil
}

// add notes that a source has opened an image of a repository.
func (r *records) add(imageID, repository, source string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, err := r.read(imageID)
	if err != nil {
		return fmt.Errorf("reading the record of the pull: %w", err)
	}
	if slices.Contains(rec[repository], source) {
		return nil
	}
	if rec == nil {
		rec = record{}
	}
	const most = 100 // the oldest secrets are forgotten, and asked for again
	all := append(rec[repository], source)
	rec[repository] = all[max(0, len(all)-most):]
	return r.write(imageID, rec)
}

func (r *records) write(imageID string, rec record) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	next := r.path(imageID) + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, r.path(imageID))
}

// MayUse reports whether a pod with these secrets may use an image of that name which the engine has already: one that
// this node did not pull, one that is open to all or to the node, and one that these secrets, or what they say, have
// opened before. For another the pod must show to the registry that it may, by a pull.
func (p *Puller) MayUse(imageID, ref string, secrets []Secret) bool {
	return p.records.mayUse(imageID, ref, secrets)
}

func (r *records) mayUse(imageID, ref string, secrets []Secret) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, err := r.read(imageID)
	if err != nil {
		r.log.Warn("reading the record of a pull", "image", ref, "err", err)
		return false
	}
	if rec == nil {
		return true
	}
	for _, source := range rec.sources(ref) {
		if source == fromNobody || source == fromNode {
			return true
		}
		coordinates, digest, _ := strings.Cut(source, "|")
		for _, s := range secrets {
			if s.digest() == digest || s.UID != "" && s.coordinates() == coordinates {
				return true
			}
		}
	}
	return false
}

// sources are what has opened the repository of a reference; those of all, for one by the image's ID.
func (rec record) sources(ref string) (all []string) {
	_, noID := v1.NewHash(ref)
	if named, err := reference.ParseDockerRef(ref); err == nil && noID != nil {
		return rec[named.Name()]
	}
	for _, s := range rec {
		all = append(all, s...)
	}
	return all
}

// forget removes the records of images that the engine has no more.
func (r *records) forget(present func(imageID string) bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if ok && !present(strings.Replace(id, "-", ":", 1)) {
			err = errors.Join(err, os.Remove(filepath.Join(r.dir, e.Name())))
		}
	}
	return err
}
