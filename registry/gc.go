package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
)

// Collected says what a collection removed.
type Collected struct {
	Uploads, Manifests, Blobs int
	Bytes                     int64 // of blobs and manifests
}

// GC removes what nothing leads to any more: uploads that lie still, blobs that no manifest names and no client asked
// for lately, and, where Config.UntaggedAge allows, manifests without a tag. It stops at the first thing it does not
// understand, and pushes wait while it runs.
func (r *Registry) GC(ctx context.Context) (Collected, error) {
	now := time.Now()
	got := Collected{Uploads: r.sweepUploads(now)}
	r.mu.Lock()
	defer r.mu.Unlock()
	repos, err := r.repositories()
	if err != nil {
		return got, fmt.Errorf("listing repositories: %w", err)
	}
	live := map[digest.Digest]bool{}
	for _, repo := range repos {
		if err := ctx.Err(); err != nil {
			return got, err
		}
		n, err := r.collectRepository(repo, now, live)
		got.Manifests += n
		if err != nil {
			return got, fmt.Errorf("repository %s: %w", repo, err)
		}
	}
	err = r.collectContent(ctx, live, &got)
	return got, err
}

// sweepUploads forgets the uploads that nobody wrote to for Config.UploadAge.
func (r *Registry) sweepUploads(now time.Time) int {
	r.uploadsMu.Lock()
	var idle []*upload
	for _, u := range r.uploads {
		if now.Sub(u.used) > r.cfg.UploadAge && u.busy.TryLock() {
			idle = append(idle, u)
		}
	}
	r.uploadsMu.Unlock()
	for _, u := range idle {
		r.forget(u)
		u.busy.Unlock()
	}
	return len(idle)
}

// collectRepository drops a repository's links to what it no longer needs and adds what it keeps to live.
func (r *Registry) collectRepository(repo string, now time.Time, live map[digest.Digest]bool) (manifests int, err error) {
	if manifests, err = r.collectManifests(repo, now); err != nil {
		return manifests, err
	}
	used, err := r.referenced(repo)
	if err != nil {
		return manifests, err
	}
	err = r.eachLink(repo, blobLinks, func(d digest.Digest, info fs.FileInfo) error {
		if _, ok := used[d]; !ok && now.Sub(info.ModTime()) > r.cfg.Grace {
			return removeFile(r.linkPath(repo, blobLinks, linkName(d)))
		}
		live[d] = true
		return nil
	})
	if err != nil {
		return manifests, err
	}
	return manifests, r.eachLink(repo, manifestLinks, func(d digest.Digest, _ fs.FileInfo) error {
		live[d] = true
		return nil
	})
}

// collectManifests deletes manifests that no tag, index or subject leads to, when the configuration allows it.
func (r *Registry) collectManifests(repo string, now time.Time) (n int, err error) {
	if r.cfg.UntaggedAge <= 0 {
		return 0, nil
	}
	used, err := r.referenced(repo)
	if err != nil {
		return 0, err
	}
	tags, err := r.tags(repo)
	if err != nil {
		return 0, err
	}
	tagged := map[digest.Digest]bool{}
	for _, d := range tags {
		tagged[d] = true
	}
	err = r.eachLink(repo, manifestLinks, func(d digest.Digest, info fs.FileInfo) error {
		if _, ok := used[d]; ok || tagged[d] || now.Sub(info.ModTime()) <= r.cfg.UntaggedAge {
			return nil
		}
		if m, err := r.readManifest(d); err != nil || m.Subject != nil && r.has(repo, m.Subject.Digest) {
			return err
		}
		n++
		return r.deleteManifest(repo, d)
	})
	return n, err
}

func (r *Registry) has(repo string, manifest digest.Digest) bool {
	_, err := r.manifestType(repo, manifest)
	return err == nil
}

func (r *Registry) eachLink(repo string, e entry, fn func(digest.Digest, fs.FileInfo) error) error {
	list, err := digests(r.linkPath(repo, e))
	if err != nil {
		return err
	}
	for _, d := range list {
		info, err := os.Stat(r.linkPath(repo, e, linkName(d)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = fn(d, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// collectContent removes the content that no repository links to. Content gets its link under the lock held here, so
// what has none is unused.
func (r *Registry) collectContent(ctx context.Context, live map[digest.Digest]bool, got *Collected) error {
	root := filepath.Join(r.cfg.Dir, "blobs")
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		algorithm := filepath.Base(filepath.Dir(filepath.Dir(path)))
		d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), e.Name())
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%s is no content of this registry: %w", path, err)
		}
		if live[d] {
			return ctx.Err()
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		got.Blobs++
		got.Bytes += info.Size()
		return removeFile(path)
	})
}
