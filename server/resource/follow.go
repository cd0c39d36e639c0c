package resource

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/btree"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/store"
)

// Follow calls fn for everything there is of a kind, as Added, then for each change, until ctx ends; it blocks. When
// it falls too far behind it looks at everything again and gives the differences. synced is called once, after the
// first look. It returns nil when ctx ends.
func (a *API) Follow(ctx context.Context, k *kind.Kind, synced func(), fn func(store.Event)) error {
	f := &follower{known: btree.NewG(knownDegree, earlier), fn: fn}
	for ctx.Err() == nil {
		snapshot, err := a.store.Consistent(ctx, k.GroupResource())
		if err != nil {
			return ended(ctx, k, err)
		}
		f.compare(snapshot)
		if synced != nil {
			synced()
			synced = nil
		}
		if err := f.changes(ctx, a.store, k, snapshot.Revision()); !errors.Is(err, store.ErrExpired) {
			return ended(ctx, k, err)
		}
	}
	return nil
}

func ended(ctx context.Context, k *kind.Kind, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("following %s: %w", k.GroupResource(), err)
}

// follower is what one caller has been told. There are a dozen that follow pods: a tree of pointers needs a tenth of
// the room of a map by keys.
type follower struct {
	known *btree.BTreeG[*store.Item]
	fn    func(store.Event)
}

const knownDegree = 32

// earlier orders items of one kind, by namespace, then name.
func earlier(a, b *store.Item) bool {
	if a.Key.Namespace != b.Key.Namespace {
		return a.Key.Namespace < b.Key.Namespace
	}
	return a.Key.Name < b.Key.Name
}

// compare tells how a snapshot differs from what is known.
func (f *follower) compare(snapshot *store.Snapshot) {
	var gone []*store.Item
	f.known.Ascend(func(it *store.Item) bool {
		if snapshot.Get(it.Key.Namespace, it.Key.Name) == nil {
			gone = append(gone, it)
		}
		return true
	})
	for _, it := range gone {
		f.tell(store.Event{Type: watch.Deleted, Item: it, Prev: it})
	}
	snapshot.Ascend("", "", "", func(it *store.Item) bool {
		switch old, _ := f.known.Get(it); {
		case old == nil:
			f.tell(store.Event{Type: watch.Added, Item: it})
		case old.Revision != it.Revision && !namesakes(old, it):
			f.tell(store.Event{Type: watch.Modified, Item: it, Prev: old})
		case old.Revision != it.Revision:
			f.tell(store.Event{Type: watch.Deleted, Item: old, Prev: old})
			f.tell(store.Event{Type: watch.Added, Item: it})
		}
		return true
	})
}

// namesakes tells that two items of one name are not the same object: it was deleted and made again.
func namesakes(a, b *store.Item) bool {
	old, errOld := a.Object()
	obj, err := b.Object()
	return err == nil && errOld == nil && metaOf(old).GetUID() != metaOf(obj).GetUID()
}

// changes tells what happens after a revision, until an error.
func (f *follower) changes(ctx context.Context, s *store.Store, k *kind.Kind, revision int64) error {
	source, err := s.Watch(k.GroupResource(), revision)
	if err != nil {
		return err
	}
	for {
		events, err := source.Next(ctx)
		if err != nil {
			return err
		}
		for _, e := range events {
			f.tell(e)
		}
	}
}

func (f *follower) tell(e store.Event) {
	if e.Type == watch.Deleted {
		f.known.Delete(e.Item)
	} else {
		f.known.ReplaceOrInsert(e.Item)
	}
	f.fn(e)
}
