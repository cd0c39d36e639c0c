package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/opencontainers/go-digest"
)

// tag reads what a tag points at.
func (r *Registry) tag(repo, name string) (digest.Digest, error) {
	data, err := os.ReadFile(r.linkPath(repo, tagLinks, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: no tag %s in %s", ErrManifestUnknown, name, repo)
	}
	if err != nil {
		return "", err
	}
	return digest.Parse(string(data))
}

// tags maps each tag of a repository to what it points at.
func (r *Registry) tags(repo string) (map[string]digest.Digest, error) {
	list, err := names(r.linkPath(repo, tagLinks))
	if err != nil {
		return nil, err
	}
	out := make(map[string]digest.Digest, len(list))
	for _, name := range list {
		if out[name], err = r.tag(repo, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// DeleteTag removes a tag and leaves the manifest.
func (r *Registry) DeleteTag(_ context.Context, repo, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.tag(repo, name); err != nil {
		return err
	}
	r.changed(repo)
	return r.removeFile(r.linkPath(repo, tagLinks, name))
}

// Tags lists a repository's tags in lexical order.
func (r *Registry) Tags(_ context.Context, repo string) ([]string, error) {
	manifests, err := names(r.linkPath(repo, manifestLinks))
	if err != nil {
		return nil, err
	}
	if len(manifests) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNameUnknown, repo)
	}
	return names(r.linkPath(repo, tagLinks))
}

// Repositories lists the repositories that have a manifest, in lexical order.
func (r *Registry) Repositories(context.Context) ([]string, error) {
	list, err := r.repositories()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, repo := range list {
		manifests, err := names(r.linkPath(repo, manifestLinks))
		if err != nil {
			return nil, err
		}
		if len(manifests) > 0 {
			out = append(out, repo)
		}
	}
	return out, nil
}

// repositories lists every repository that has a folder, in lexical order of its name.
func (r *Registry) repositories() ([]string, error) {
	root, seen := r.repositoriesDir(), map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // swept since it was listed
		}
		if err != nil || !strings.HasPrefix(d.Name(), "_") {
			return err
		}
		repo, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		seen[filepath.ToSlash(repo)] = true
		return fs.SkipDir
	})
	list := make([]string, 0, len(seen))
	for repo := range seen {
		list = append(list, repo)
	}
	sort.Strings(list)
	return list, err
}
