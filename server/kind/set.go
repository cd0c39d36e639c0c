package kind

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Set is the kinds a server serves. It can grow and shrink at run time. All methods may be called concurrently.
type Set struct {
	mu      sync.RWMutex
	kinds   []*Kind
	changed chan struct{}
}

// NewSet returns a set of the given kinds, in discovery's order.
func NewSet(kinds ...*Kind) *Set {
	return &Set{kinds: kinds, changed: make(chan struct{})}
}

// Lookup returns the kind that a request's path names, or nil.
func (s *Set) Lookup(gvr schema.GroupVersionResource) *Kind {
	return s.find(func(k *Kind) bool {
		return k.Resource == gvr.Resource && k.Group == gvr.Group && k.Version == gvr.Version
	})
}

// ByKind returns the kind that an object's apiVersion and kind name, or nil.
func (s *Set) ByKind(gvk schema.GroupVersionKind) *Kind {
	return s.find(func(k *Kind) bool { return k.GroupVersionKind == gvk })
}

// ByResource returns the kind in whose form a resource's objects are stored, or nil.
func (s *Set) ByResource(gr schema.GroupResource) *Kind {
	return s.find(func(k *Kind) bool { return k.isStored() && k.Resource == gr.Resource && k.Group == gr.Group })
}

// Stored returns the kinds whose objects are stored as they are: each object is one of exactly one of them.
func (s *Set) Stored() []*Kind {
	return slices.DeleteFunc(slices.Clone(s.List()), func(k *Kind) bool { return !k.isStored() })
}

// isStored tells the kinds in whose form objects are stored from those that are views or made when asked for.
func (k *Kind) isStored() bool { return k.Stored == nil && k.Of == nil }

// Versions returns all forms in which a stored kind's objects are served, its own included.
func (s *Set) Versions(stored *Kind) []*Kind {
	return slices.DeleteFunc(slices.Clone(s.List()), func(k *Kind) bool { return k.Storage() != stored })
}

// List returns the kinds in discovery's order. The slice is never modified afterwards.
func (s *Set) List() []*Kind {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.kinds
}

// Changed returns a channel that is closed at the next change.
func (s *Set) Changed() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changed
}

// Put adds a kind at the end of the list, or replaces the one with the same group, version and kind.
func (s *Set) Put(k *Kind) {
	s.change(func(kinds []*Kind) []*Kind {
		if i := indexOf(kinds, k.GroupVersionKind); i >= 0 {
			kinds[i] = k
			return kinds
		}
		return append(kinds, k)
	})
}

// Remove takes a kind out; a kind that is not there is no error.
func (s *Set) Remove(gvk schema.GroupVersionKind) {
	s.change(func(kinds []*Kind) []*Kind {
		if i := indexOf(kinds, gvk); i >= 0 {
			return slices.Delete(kinds, i, i+1)
		}
		return kinds
	})
}

// change edits a copy, since readers keep the slices they were given.
func (s *Set) change(edit func([]*Kind) []*Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kinds = edit(slices.Clone(s.kinds))
	close(s.changed)
	s.changed = make(chan struct{})
}

// find walks the list: it is short, and comparing the few strings costs less than hashing them.
func (s *Set) find(match func(*Kind) bool) *Kind {
	for _, k := range s.List() {
		if match(k) {
			return k
		}
	}
	return nil
}

func indexOf(kinds []*Kind, gvk schema.GroupVersionKind) int {
	return slices.IndexFunc(kinds, func(k *Kind) bool { return k.GroupVersionKind == gvk })
}
