package store

import (
	"context"
	"runtime/debug"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// tidyEvery is how often what nobody has used is looked for. It goes the second time it is found.
const tidyEvery = 10 * time.Second

// tidy keeps what is made of items only for as long as it is used: a cluster in which little happens needs its bytes
// and not much more. What a busy one looks at again and again stays.
func (s *Store) tidy(ctx context.Context) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	forgotten := 0   // bytes of items whose forms have gone since memory was given back
	settled := false // what starting has left is given back once
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		gone, all := s.cache.forget()
		if forgotten += gone; !settled || worthGiving(forgotten, gone, all) {
			debug.FreeOSMemory()
			forgotten, settled = 0, true
		}
	}
}

// worthGiving tells whether memory should be given back to the system now: when there is much of it, and no more is
// about to come. It costs a garbage collection.
func worthGiving(forgotten, gone, all int) bool {
	const much, share = 4 << 20, 8 // bytes; 1/8 of all
	return forgotten >= max(much, all/share) && gone < forgotten/share
}

// forget drops the forms of items that nobody has used since the last time. It gives the bytes of those items, and of
// all there are.
func (c *cache) forget() (gone, all int) {
	visit := func(it *Item) bool {
		all += len(it.JSON)
		if it.forget() {
			gone += len(it.JSON)
		}
		return true
	}
	for gr, first := range c.oldest() {
		c.snapshot(gr).Ascend("", "", "", visit)
		// Events hold former states too. Each is what one event came after, or what a deletion shows.
		for n := first; n.followed(); n = n.next {
			if e := n.next.event; e.Prev != nil {
				visit(e.Prev)
			}
			if e := n.next.event; e.Type == watch.Deleted {
				visit(e.Item)
			}
		}
	}
	return gone, all
}

// oldest is where the events of each resource begin.
func (c *cache) oldest() map[schema.GroupResource]*node {
	c.mu.RLock()
	defer c.mu.RUnlock()
	first := make(map[schema.GroupResource]*node, len(c.resources))
	for gr, r := range c.resources {
		first[gr] = r.events.nodes[0]
	}
	return first
}
