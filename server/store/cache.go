package store

import (
	"slices"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/google/btree"
)

// minEvents is how many events of a resource are kept at least; a resource with more objects keeps as many as it has objects.
const minEvents = 1024

// cache is what etcd holds, as far as the watch has told. One goroutine writes it.
type cache struct {
	decode Decode
	sealer Sealer

	mu        sync.RWMutex
	resources map[schema.GroupResource]*resourceCache
	revision  int64 // everything up to it is here
	loaded    int64 // the revision of the last full load: there are no events from before it
	waiters   []waiter
	stopped   bool
}

type waiter struct {
	revision int64
	reached  chan struct{}
}

type resourceCache struct {
	tree      *btree.BTreeG[*Item]
	events    *eventList
	published *Snapshot // nil once the tree has changed since
}

func newCache(decode Decode, sealer Sealer) *cache {
	return &cache{decode: decode, sealer: sealer, resources: map[schema.GroupResource]*resourceCache{}}
}

// resource returns the cache of a resource, empty when nothing of it was ever stored. c.mu is held.
func (c *cache) resource(gr schema.GroupResource) *resourceCache {
	r, ok := c.resources[gr]
	if !ok {
		r = &resourceCache{tree: newTree(), events: newEventList(c.loaded)}
		if c.stopped {
			r.events.end()
		}
		c.resources[gr] = r
	}
	return r
}

// load replaces everything; readers of events must list again.
func (c *cache) load(items []*Item, revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.resources {
		r.events.breakOff()
	}
	c.resources = map[schema.GroupResource]*resourceCache{}
	c.loaded = revision
	newest := map[schema.GroupResource]int{}
	for _, it := range items {
		r := c.resource(it.Key.GroupResource)
		r.tree.ReplaceOrInsert(it)
		if it.Revision == revision {
			if newest[it.Key.GroupResource]++; newest[it.Key.GroupResource] > 1 {
				r.events.torn = revision
			}
		}
	}
	c.reach(revision)
}

// stop ends all readers of events: nothing is applied any more.
func (c *cache) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for _, r := range c.resources {
		r.events.end()
	}
}

// apply takes etcd's events in order, then knows everything up to revision.
func (c *cache) apply(events []Event, revision int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var changed []*eventList
	for _, e := range events {
		r := c.resource(e.Item.Key.GroupResource)
		prev, had := r.tree.Get(e.Item)
		switch {
		case e.Type == watch.Deleted && !had:
			continue
		case e.Type == watch.Deleted:
			r.tree.Delete(e.Item)
			e = Event{Type: watch.Deleted, Item: prev.at(e.Item.Revision), Prev: prev}
		default:
			r.tree.ReplaceOrInsert(e.Item)
			if e.Type = watch.Added; had {
				e.Type, e.Prev = watch.Modified, prev
			}
		}
		r.published = nil
		r.events.append(e, max(minEvents, r.tree.Len()))
		if !slices.Contains(changed, r.events) {
			changed = append(changed, r.events)
		}
	}
	for _, events := range changed { // all of a transaction of many together
		events.publish()
	}
	c.reach(revision)
}

// reach wakes who waits for a revision. c.mu is held.
func (c *cache) reach(revision int64) {
	c.revision = max(c.revision, revision)
	rest := c.waiters[:0]
	for _, w := range c.waiters {
		if w.revision <= c.revision {
			close(w.reached)
		} else {
			rest = append(rest, w)
		}
	}
	clear(c.waiters[len(rest):])
	c.waiters = rest
}

// reached is closed once the cache holds everything up to a revision; nil when it does already.
func (c *cache) reached(revision int64) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.revision >= revision {
		return nil
	}
	w := waiter{revision, make(chan struct{})}
	c.waiters = append(c.waiters, w)
	return w.reached
}

func (c *cache) current() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.revision
}

// snapshot is shared by all who read between two writes.
func (c *cache) snapshot(gr schema.GroupResource) *Snapshot {
	c.mu.RLock()
	if r, ok := c.resources[gr]; ok && r.published != nil && r.published.revision == c.revision {
		defer c.mu.RUnlock()
		return r.published
	}
	c.mu.RUnlock()

	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.resource(gr)
	switch {
	case r.published == nil:
		r.published = &Snapshot{tree: r.tree.Clone(), revision: c.revision}
	case r.published.revision != c.revision:
		r.published = &Snapshot{tree: r.published.tree, revision: c.revision}
	}
	return r.published
}

func (c *cache) watch(gr schema.GroupResource, after int64) (*Watch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cursor(c.resource(gr).events, after)
}

// resume is watch for who may have seen only some of a revision's changes, when it has several: they are given again.
func (c *cache) resume(gr schema.GroupResource, revision int64) (*Watch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	events := c.resource(gr).events
	if events.shared(revision) {
		revision--
	}
	return c.cursor(events, revision)
}

// cursor starts a watch; c.mu is held.
func (c *cache) cursor(events *eventList, after int64) (*Watch, error) {
	n, err := events.after(after)
	if err != nil {
		return nil, err
	}
	return &Watch{list: events, node: n, after: after, revision: c.current}, nil
}

// event turns etcd's form of a change into ours; the cache adds what was there before.
func (c *cache) event(e *mvccpb.Event) (Event, error) {
	key, err := parseKey(string(e.Kv.Key))
	if err != nil {
		return Event{}, err
	}
	if e.Type == mvccpb.DELETE {
		return Event{Type: watch.Deleted, Item: &Item{Key: key, Revision: e.Kv.ModRevision}}, nil
	}
	item, err := c.item(key, e.Kv.ModRevision, e.Kv.Value)
	return Event{Type: watch.Modified, Item: item}, err
}
