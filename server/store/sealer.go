package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Sealer keeps some resources unreadable in etcd. The cache, and whoever reads it, has the plain objects.
type Sealer interface {
	// Seals tells whether a resource is kept so, or may have been.
	Seals(gr schema.GroupResource) bool
	// Seal gives the form in which an object is put in etcd.
	Seal(k Key, plain []byte) ([]byte, error)
	// Open is the inverse of Seal, for whatever was sealed before. stale tells that Seal would do it otherwise now:
	// with a newer key. ErrNoKey when nothing here can open it.
	Open(k Key, stored []byte) (plain []byte, stale bool, err error)
}

// ErrNoKey says that an object was sealed with a key that this server has not got. A store that meets one
// ends: it would show a cluster in which things are missing, or old.
var ErrNoKey = errors.New("sealed with a key that is not here")

// unsealed is the sealer of a store that has none.
type unsealed struct{}

func (unsealed) Seals(schema.GroupResource) bool                 { return false }
func (unsealed) Seal(_ Key, plain []byte) ([]byte, error)        { return plain, nil }
func (unsealed) Open(_ Key, stored []byte) ([]byte, bool, error) { return stored, false, nil }

// item reads what etcd has under a key.
func (c *cache) item(key Key, revision int64, stored []byte) (*Item, error) {
	if !c.sealer.Seals(key.GroupResource) {
		return newItem(key, revision, stored, c.decode)
	}
	plain, stale, err := c.sealer.Open(key, stored)
	if err != nil {
		return nil, fmt.Errorf("opening %s at revision %d: %w", key, revision, err)
	}
	it, err := newItem(key, revision, plain, c.decode)
	if err == nil {
		it.stale = stale
	}
	return it, err
}

// sealed is what etcd gets for an object; nil stays nil.
func (s *Store) sealed(op Op) ([]byte, error) {
	if op.Value == nil || !s.cache.sealer.Seals(op.Key.GroupResource) {
		return op.Value, nil
	}
	return s.cache.sealer.Seal(op.Key, op.Value)
}

// Reseal writes the objects of a resource anew that are sealed otherwise than they would be now, and says how many
// those were. Somebody else's write at the same time does as well.
func (s *Store) Reseal(ctx context.Context, gr schema.GroupResource) (int, error) {
	if !s.cache.sealer.Seals(gr) {
		return 0, nil
	}
	var stale []*Item
	s.Snapshot(gr).Ascend("", "", "", func(it *Item) bool {
		if it.stale {
			stale = append(stale, it)
		}
		return true
	})
	for _, it := range stale {
		_, err := s.Commit(ctx, Op{Key: it.Key, Value: it.stored(), Expect: it.Revision})
		var lost *ConflictError
		if err != nil && !errors.As(err, &lost) {
			return 0, fmt.Errorf("sealing %s anew: %w", it.Key, err)
		}
	}
	return len(stale), nil
}

// stored is the form that newItem makes items from.
func (it *Item) stored() []byte {
	at := it.body + len(metadataField)
	rest := bytes.TrimPrefix(it.JSON[at:], fmt.Appendf(nil, `"resourceVersion":"%d"`, it.Revision))
	return append(bytes.Clone(it.JSON[:at]), bytes.TrimPrefix(rest, []byte(","))...)
}
