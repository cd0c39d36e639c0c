package registry

import "github.com/opencontainers/go-digest"

// news is what has changed while a collection looks around without holding anybody up: what it has seen of these is not
// to be believed.
type news struct {
	repos   map[string]bool
	content map[digest.Digest]bool // that repositories got
}

// watch begins to note what changes.
func (r *Registry) watch() (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.news = &news{repos: map[string]bool{}, content: map[digest.Digest]bool{}}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.news = nil
	}
}

// changed tells a collection under way of a repository, and of content that it gets. Registry.mu is held.
func (r *Registry) changed(repo string, content ...digest.Digest) {
	if r.news == nil {
		return
	}
	r.news.repos[repo] = true
	for _, d := range content {
		r.news.content[d] = true
	}
}
