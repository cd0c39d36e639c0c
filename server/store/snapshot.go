package store

import (
	"github.com/google/btree"
)

// Snapshot is one resource at one revision, sorted by namespace, then name. It is immutable.
type Snapshot struct {
	tree     *btree.BTreeG[*Item]
	revision int64
}

const treeDegree = 32

func newTree() *btree.BTreeG[*Item] {
	return btree.NewG(treeDegree, func(a, b *Item) bool { return a.Key.before(b.Key) })
}

// Revision is that of the whole store when the snapshot was taken: what a list shows as its resourceVersion.
func (s *Snapshot) Revision() int64 { return s.revision }

// Len is the number of items in all namespaces.
func (s *Snapshot) Len() int { return s.tree.Len() }

// Get returns nil when there is no such item. The namespace of cluster-scoped items is empty.
func (s *Snapshot) Get(namespace, name string) *Item {
	item, _ := s.tree.Get(pivot(namespace, name))
	return item
}

// Ascend calls fn in order for the items of a namespace (of all when empty) that come strictly after
// the given namespace and name (from the start when both are empty), until fn returns false.
func (s *Snapshot) Ascend(namespace, afterNamespace, afterName string, fn func(*Item) bool) {
	start := pivot(afterNamespace, afterName)
	if namespace != "" && start.Key.before(Key{Namespace: namespace}) {
		start = pivot(namespace, "")
	}
	s.tree.AscendGreaterOrEqual(start, func(it *Item) bool {
		switch {
		case it.Key.Namespace == start.Key.Namespace && it.Key.Name == start.Key.Name:
			return true
		case namespace != "" && it.Key.Namespace != namespace:
			return false
		}
		return fn(it)
	})
}

func pivot(namespace, name string) *Item {
	return &Item{Key: Key{Namespace: namespace, Name: name}}
}
