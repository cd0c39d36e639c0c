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

// Collected says what a collection removed, or with Rules.DryRun would remove.
type Collected struct {
	Uploads   int   `json:"uploads"`
	Manifests int   `json:"manifests"`
	Blobs     int   `json:"blobs"` // content, manifests' too, that no repository has any more
	Bytes     int64 `json:"bytes"` // of that
}

// GC removes what nothing leads to any more: uploads that lie still, blobs that no manifest names and no client asked
// for lately, and manifests that nothing leads to, by the rules. It stops at the first thing that it does not
// understand. Pushes go on while it looks around; of what has changed by then it takes another look before it removes
// anything.
func (r *Registry) GC(ctx context.Context, rules Rules) (Collected, error) {
	r.collecting.Lock()
	defer r.collecting.Unlock()
	now := time.Now()
	got := Collected{Uploads: r.sweepUploads(now, rules.DryRun)}
	used, err := r.cfg.Used(ctx)
	if err != nil { // then everything may be in use
		r.cfg.Log.Warn("Images without a tag are kept: which ones are in use is not known", "err", err)
		rules.Untagged = -1
	}
	defer r.watch()()
	repos, err := r.repositories()
	if err != nil {
		return got, fmt.Errorf("listing repositories: %w", err)
	}
	live := map[digest.Digest]bool{}
	for _, repo := range repos {
		if err := ctx.Err(); err != nil {
			return got, err
		}
		manifests, err := r.collectRepository(repo, used[repo], rules, now, live)
		if err != nil {
			return got, fmt.Errorf("repository %s: %w", repo, err)
		}
		got.Manifests += manifests
	}
	err = r.collectContent(ctx, rules, live, &got)
	if !rules.DryRun {
		r.metrics.collection(got)
	}
	return got, err
}

// collectRepository removes what a repository need not keep, and adds the rest of its content to live. It gives the number
// of manifests that went.
func (r *Registry) collectRepository(repo string, named map[digest.Digest]bool, rules Rules, now time.Time, live map[digest.Digest]bool) (int, error) {
	look := func() (contents, removal, error) {
		state, err := r.observe(repo)
		state.named = named
		return state, state.plan(rules, now), err
	}
	state, plan, err := look()
	if err == nil && rules.DryRun {
		state.keep(plan, live)
		return len(plan.manifests), nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || r.news.repos[repo] || !r.unused(repo, state, plan) {
		if state, plan, err = look(); err != nil {
			return 0, err
		}
	}
	state.keep(plan, live)
	if rules.DryRun {
		return len(plan.manifests), nil
	}
	return len(plan.manifests), r.remove(repo, plan)
}

// unused says whether nobody has asked for what is to be removed since it was looked at.
func (r *Registry) unused(repo string, state contents, plan removal) bool {
	since := func(e entry, d digest.Digest, seen time.Time) bool {
		info, err := os.Stat(r.linkPath(repo, e, linkName(d)))
		return err == nil && info.ModTime().Equal(seen)
	}
	for _, d := range plan.manifests {
		if !since(manifestLinks, d, state.manifests[d].time) {
			return false
		}
	}
	for _, d := range plan.blobs {
		if !since(blobLinks, d, state.blobs[d]) {
			return false
		}
	}
	return true
}

// sweepUploads forgets the uploads that nobody wrote to for Config.UploadAge.
func (r *Registry) sweepUploads(now time.Time, dryRun bool) int {
	r.uploadsMu.Lock()
	var idle []*upload
	for _, u := range r.uploads {
		if now.Sub(u.used) > r.cfg.UploadAge && u.busy.TryLock() {
			idle = append(idle, u)
		}
	}
	r.uploadsMu.Unlock()
	for _, u := range idle {
		if !dryRun {
			r.forget(u)
		}
		u.busy.Unlock()
	}
	return len(idle)
}

// observe reads what a repository holds.
func (r *Registry) observe(repo string) (contents, error) {
	c := contents{manifests: map[digest.Digest]held{}, blobs: map[digest.Digest]time.Time{}, tagged: map[digest.Digest]bool{}}
	tags, err := r.tags(repo)
	if err != nil {
		return c, err
	}
	for _, d := range tags {
		c.tagged[d] = true
	}
	err = r.eachLink(repo, blobLinks, func(d digest.Digest, t time.Time) error {
		c.blobs[d] = t
		return nil
	})
	if err != nil {
		return c, err
	}
	return c, r.eachLink(repo, manifestLinks, func(d digest.Digest, t time.Time) error {
		m, err := r.readManifest(d)
		if err != nil {
			return err
		}
		h := held{blobs: m.blobs(), children: m.children(), time: t}
		if m.Subject != nil {
			h.subject = m.Subject.Digest
		}
		c.manifests[d] = h
		return nil
	})
}

func (r *Registry) eachLink(repo string, e entry, fn func(digest.Digest, time.Time) error) error {
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
			err = fn(d, info.ModTime())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keep adds the content to live that the repository has after a removal.
func (c contents) keep(p removal, live map[digest.Digest]bool) {
	gone := map[digest.Digest]bool{}
	for _, d := range p.manifests {
		gone[d] = true
	}
	for d := range c.manifests {
		if !gone[d] {
			live[d] = true
		}
	}
	clear(gone)
	for _, d := range p.blobs {
		gone[d] = true
	}
	for d := range c.blobs {
		if !gone[d] {
			live[d] = true
		}
	}
}

// remove carries a plan out, and sweeps what is empty then.
func (r *Registry) remove(repo string, p removal) error {
	for _, d := range p.manifests {
		if err := r.deleteManifest(repo, d); err != nil {
			return err
		}
	}
	for _, d := range p.blobs {
		delete(r.usage.repos, repo)
		if err := r.removeFile(r.linkPath(repo, blobLinks, linkName(d))); err != nil {
			return err
		}
	}
	r.sweepFolders(repo)
	return nil
}

// sweepFolders removes a repository's folders as far as they are empty, and the repository's own above them. Links are
// made under Registry.mu alone, so no folder goes from under one.
func (r *Registry) sweepFolders(repo string) {
	subjects, _ := names(r.linkPath(repo, referrerLinks)) // what cannot be read stays
	for _, s := range subjects {
		_ = os.Remove(r.linkPath(repo, referrerLinks, s))
	}
	for _, e := range []entry{tagLinks, referrerLinks, manifestLinks, blobLinks} {
		_ = os.Remove(r.linkPath(repo, e))
	}
	for dir := filepath.Join(r.repositoriesDir(), filepath.FromSlash(repo)); dir != r.repositoriesDir(); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil { // not empty
			return
		}
	}
}

// collectContent removes the content that no repository links to, and measures the rest.
func (r *Registry) collectContent(ctx context.Context, rules Rules, live map[digest.Digest]bool, got *Collected) error {
	var left int64
	err := filepath.WalkDir(filepath.Join(r.cfg.Dir, "blobs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		algorithm := filepath.Base(filepath.Dir(filepath.Dir(path)))
		d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), e.Name())
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%s is no content of this registry: %w", path, err)
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		stays := live[d]
		if !stays {
			if stays, err = r.dropContent(d, info.Size(), rules.DryRun); err != nil {
				return err
			}
		}
		if stays {
			left += info.Size()
			return ctx.Err()
		}
		got.Blobs++
		got.Bytes += info.Size()
		return ctx.Err()
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && !rules.DryRun && len(r.news.content) == 0 {
		r.usage.stored.Store(left)
	}
	return err
}

// dropContent removes content that no repository linked to when it was looked at, unless one does by now: content gets
// its link under the lock that is held here.
func (r *Registry) dropContent(d digest.Digest, size int64, dryRun bool) (stays bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.news.content[d] || dryRun {
		return r.news.content[d], nil
	}
	r.usage.stored.Add(-size)
	return false, r.removeFile(r.contentPath(d))
}
