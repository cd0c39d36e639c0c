package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
)

// entry is one of the folders that a repository keeps.
type entry string

const (
	blobLinks     entry = "_blobs"
	manifestLinks entry = "_manifests"
	tagLinks      entry = "_tags"
	referrerLinks entry = "_referrers"
)

func (r *Registry) uploadDir() string       { return filepath.Join(r.cfg.Dir, "uploads") }
func (r *Registry) repositoriesDir() string { return filepath.Join(r.cfg.Dir, "repositories") }

// contentPath is where content lives. The digest must be valid.
func (r *Registry) contentPath(d digest.Digest) string {
	return filepath.Join(r.cfg.Dir, "blobs", d.Algorithm().String(), d.Encoded()[:2], d.Encoded())
}

// linkPath is where repository repo keeps name. Whoever calls has checked that repo is a repository's name.
func (r *Registry) linkPath(repo string, e entry, name ...string) string {
	return filepath.Join(append([]string{r.repositoriesDir(), filepath.FromSlash(repo), string(e)}, name...)...)
}

// linkName and linkDigest turn a digest into a file's name and back.
func linkName(d digest.Digest) string {
	return d.Algorithm().String() + "-" + d.Encoded()
}

func linkDigest(name string) (digest.Digest, error) {
	return digest.Parse(strings.Replace(name, "-", ":", 1))
}

// writeFile puts data at path so that after a kill or a power cut either the old file is there or the new one.
func (r *Registry) writeFile(path string, data []byte) error {
	f, err := os.CreateTemp(r.uploadDir(), "file-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of no effect once it is renamed
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return r.publish(f, path)
}

// publish gives a written file its name, for good.
func (r *Registry) publish(f *os.File, path string) error {
	if err := f.Sync(); err != nil {
		return err
	}
	if err := r.makeDir(filepath.Dir(path)); err != nil {
		return err
	}
	r.step()
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	r.step()
	return syncDir(filepath.Dir(path))
}

// makeDir makes dir and what is missing above it, each one synced into its parent.
func (r *Registry) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := r.makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// removeFile removes path for good; a missing one is no error.
func (r *Registry) removeFile(path string) error {
	r.step()
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// names lists a directory in lexical order; a missing one is empty.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out, err
}

// digests lists a directory of links.
func digests(dir string) ([]digest.Digest, error) {
	list, err := names(dir)
	if err != nil {
		return nil, err
	}
	out := make([]digest.Digest, 0, len(list))
	for _, name := range list {
		d, err := linkDigest(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		out = append(out, d)
	}
	return out, nil
}
