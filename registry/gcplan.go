package registry

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// Rules say what a collection may remove.
type Rules struct {
	// Grace is how long blobs stay that no manifest names.
	Grace time.Duration
	// Untagged is how long manifests stay that nothing leads to; negative: for ever.
	Untagged time.Duration
	// DryRun only tells.
	DryRun bool
}

// Rules are those of Run. Images of an index are pushed before it, so what has no tag is given the grace of blobs at least.
func (r *Registry) Rules() Rules {
	rules := Rules{Grace: r.cfg.Grace, Untagged: -1}
	if r.cfg.UntaggedAge > 0 {
		rules.Untagged = max(r.cfg.UntaggedAge, r.cfg.Grace)
	}
	return rules
}

// InUse are the images that somebody names by digest: by repository, "hello", and digest.
type InUse map[string]map[digest.Digest]bool

// contents is what a repository holds, as the collector sees it.
type contents struct {
	manifests map[digest.Digest]held
	blobs     map[digest.Digest]time.Time // when each was last pushed or asked for
	tagged    map[digest.Digest]bool
	named     map[digest.Digest]bool // by somebody who uses it
}

// held is a manifest that a repository holds.
type held struct {
	blobs, children []digest.Digest
	subject         digest.Digest // "" for most
	time            time.Time     // when it was last pushed or pulled
}

// user is a manifest that names a blob or another manifest.
func (c contents) user(d digest.Digest) (by digest.Digest, used bool) {
	for m, h := range c.manifests {
		if slices.Contains(h.blobs, d) || slices.Contains(h.children, d) {
			return m, true
		}
	}
	return "", false
}

// removal is what a collection takes out of a repository.
type removal struct{ manifests, blobs []digest.Digest }

func (p removal) String() string {
	var lines []string
	for _, d := range p.manifests {
		lines = append(lines, fmt.Sprintf("remove manifest %s", d))
	}
	for _, d := range p.blobs {
		lines = append(lines, fmt.Sprintf("remove blob %s", d))
	}
	return strings.Join(lines, "; ")
}

// plan says what may go: manifests that nothing leads to, once they are old enough, and blobs that none of those that
// stay names, after their grace. An index that stays keeps what it names, an image that stays what refers to it.
func (c contents) plan(rules Rules, now time.Time) removal {
	stays := c.reachable(func(d digest.Digest, h held) bool {
		return c.tagged[d] || c.named[d] || rules.Untagged < 0 || now.Sub(h.time) <= max(rules.Untagged, 0)
	})
	var out removal
	used := map[digest.Digest]bool{}
	for d, h := range c.manifests {
		if !stays[d] {
			out.manifests = append(out.manifests, d)
			continue
		}
		for _, b := range h.blobs {
			used[b] = true
		}
	}
	for d, seen := range c.blobs {
		if !used[d] && now.Sub(seen) > rules.Grace {
			out.blobs = append(out.blobs, d)
		}
	}
	slices.Sort(out.manifests)
	slices.Sort(out.blobs)
	return out
}

// reachable are the roots among the manifests, and whatever they lead to.
func (c contents) reachable(root func(digest.Digest, held) bool) map[digest.Digest]bool {
	referrers := map[digest.Digest][]digest.Digest{}
	for d, h := range c.manifests {
		if h.subject != "" {
			referrers[h.subject] = append(referrers[h.subject], d)
		}
	}
	found := map[digest.Digest]bool{}
	var visit func(digest.Digest)
	visit = func(d digest.Digest) {
		h, here := c.manifests[d]
		if !here || found[d] {
			return
		}
		found[d] = true
		for _, child := range h.children {
			visit(child)
		}
		for _, ref := range referrers[d] {
			visit(ref)
		}
	}
	for d, h := range c.manifests {
		if root(d, h) {
			visit(d)
		}
	}
	return found
}
