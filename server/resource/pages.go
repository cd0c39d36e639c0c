package resource

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/store"
)

// pages keeps the snapshots of lists that are being read page by page, so that the next page costs no walk through
// etcd. Snapshots share what has not changed, and only a few are kept, for a short time.
type pages struct {
	mu   sync.Mutex
	kept []page // newest last
}

type page struct {
	resource schema.GroupResource
	snapshot *store.Snapshot
	until    time.Time
}

const (
	maxPages = 8
	pageLife = time.Minute
)

// keep remembers a snapshot, or remembers it longer.
func (p *pages) keep(gr schema.GroupResource, s *store.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.kept = slices.DeleteFunc(p.kept, func(old page) bool {
		return now.After(old.until) || old.resource == gr && old.snapshot.Revision() == s.Revision()
	})
	if len(p.kept) == maxPages {
		p.kept = slices.Delete(p.kept, 0, 1)
	}
	p.kept = append(p.kept, page{gr, s, now.Add(pageLife)})
}

// find returns the snapshot of a revision, or nil.
func (p *pages) find(gr schema.GroupResource, revision int64) *store.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, kept := range p.kept {
		if kept.resource == gr && kept.snapshot.Revision() == revision {
			return kept.snapshot
		}
	}
	return nil
}
