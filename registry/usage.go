package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
)

// usage is what the registry holds, in bytes.
type usage struct {
	stored atomic.Int64 // content, each once however many repositories have it
	coming atomic.Int64 // uploads that are open
	repos  map[string]int64
	// repos are what repositories have, blobs that they share counted for each; measured when first asked for, and
	// guarded by Registry.mu. The collector forgets them.
}

// room refuses n bytes more than the quota lets in, which is none when it is zero.
func (u *usage) room(n, quota int64) error {
	if stored, coming := u.stored.Load(), u.coming.Load(); quota > 0 && stored+coming+n > quota {
		return fmt.Errorf("%w: the registry holds %d bytes and takes in %d, of the %d that it may hold", ErrQuota, stored, coming, quota)
	}
	return nil
}

// admit counts content of a size in, that a repository is about to get, or refuses it. Registry.mu is held.
func (r *Registry) admit(repo string, e entry, d digest.Digest, size int64) error {
	if !exists(r.linkPath(repo, e, linkName(d))) {
		used, err := r.repoUsage(repo)
		if err != nil {
			return err
		}
		if quota := r.cfg.RepositoryQuota; quota > 0 && used+size > quota {
			return fmt.Errorf("%w: the repository %s has %d bytes, and may have %d", ErrQuota, repo, used, quota)
		}
		r.usage.repos[repo] = used + size
	}
	if !exists(r.contentPath(d)) {
		r.usage.stored.Add(size)
	}
	return nil
}

// repoUsage is what a repository has. Registry.mu is held.
func (r *Registry) repoUsage(repo string) (int64, error) {
	if used, known := r.usage.repos[repo]; known {
		return used, nil
	}
	var used int64
	for _, e := range []entry{blobLinks, manifestLinks} {
		list, err := digests(r.linkPath(repo, e))
		if err != nil {
			return 0, err
		}
		for _, d := range list {
			desc, err := r.statContent(d, "")
			if err != nil {
				return 0, err
			}
			used += desc.Size
		}
	}
	r.usage.repos[repo] = used
	return used, nil
}

// measure counts the content that is there.
func (r *Registry) measure() error {
	var sum int64
	err := filepath.WalkDir(filepath.Join(r.cfg.Dir, "blobs"), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("measuring content: %w", err)
	}
	r.usage.stored.Store(sum)
	r.usage.repos = map[string]int64{}
	return nil
}
