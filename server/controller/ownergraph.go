package controller

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"leme/server/store"
)

// ownerGraph knows the dependents of every owner, by its UID. It is fed by changes and so may be a moment late.
type ownerGraph struct {
	mu     sync.RWMutex
	owners map[store.Key][]types.UID
	owned  map[types.UID]map[store.Key]struct{}
}

func newOwnerGraph() *ownerGraph {
	return &ownerGraph{owners: make(map[store.Key][]types.UID), owned: make(map[types.UID]map[store.Key]struct{})}
}

// set replaces the owners of an object; none: it is gone, or its own.
func (g *ownerGraph) set(dependent store.Key, owners []types.UID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, uid := range g.owners[dependent] {
		delete(g.owned[uid], dependent)
		if len(g.owned[uid]) == 0 {
			delete(g.owned, uid)
		}
	}
	delete(g.owners, dependent)
	if len(owners) == 0 {
		return
	}
	g.owners[dependent] = owners
	for _, uid := range owners {
		if g.owned[uid] == nil {
			g.owned[uid] = make(map[store.Key]struct{})
		}
		g.owned[uid][dependent] = struct{}{}
	}
}

// dependents returns the keys of what an owner owns.
func (g *ownerGraph) dependents(owner types.UID) []store.Key {
	g.mu.RLock()
	defer g.mu.RUnlock()
	keys := make([]store.Key, 0, len(g.owned[owner]))
	for k := range g.owned[owner] {
		keys = append(keys, k)
	}
	return keys
}
