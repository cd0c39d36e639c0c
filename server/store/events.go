package store

import (
	"context"
	"errors"
	"sort"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/watch"
)

// ErrExpired says that a revision is older than what is kept: HTTP 410, reason Expired.
var ErrExpired = errors.New("store: the revision is too old")

// ErrFuture says that the store has not reached a revision.
var ErrFuture = errors.New("store: the revision is in the future")

// Event is one change.
type Event struct {
	Type watch.EventType // Added, Modified or Deleted
	Item *Item           // the new state; of a deletion the last state, with the deletion's revision
	Prev *Item           // the state before; nil for Added
}

// eventList is the recent events of one resource: a linked list that any number of readers walk
// without locks, and an index of its nodes to resume from. The cache's one writer appends.
type eventList struct {
	nodes  []*node // oldest first; nodes[0] stands just before the oldest event kept
	torn   int64   // a revision that may have had other changes, which are not kept
	oldest atomic.Uint64
	broken atomic.Bool
	ended  atomic.Bool

	listener atomic.Pointer[Listener]
}

// Listener is told of changes once for all who share it.
type Listener interface {
	// Publish says that there are events, or that there will be no more. It must not wait: the cache does.
	Publish()
}

type node struct {
	event Event
	seq   uint64
	next  *node
	ready chan struct{} // closed once next is set
}

func newEventList(revision int64) *eventList {
	first := &node{event: Event{Item: &Item{Revision: revision}}, ready: make(chan struct{})}
	return &eventList{nodes: []*node{first}}
}

func (l *eventList) tail() *node { return l.nodes[len(l.nodes)-1] }

// append adds an event and forgets the oldest ones beyond keep.
func (l *eventList) append(e Event, keep int) {
	last := l.tail()
	n := &node{event: e, seq: last.seq + 1, ready: make(chan struct{})}
	l.nodes = append(l.nodes, n)
	// The front goes by half of what is kept at once, so that the index is not moved at each event.
	if drop := len(l.nodes) - 1 - keep; drop >= keep/2 {
		if first := l.nodes[drop].event.Item.Revision; l.nodes[drop-1].event.Item.Revision == first {
			l.torn = first
		}
		l.nodes = append(make([]*node, 0, 2*keep), l.nodes[drop:]...)
		l.oldest.Store(l.nodes[0].seq)
	}
	last.next = n
	close(last.ready)
}

// publish tells the listener, where there is one.
func (l *eventList) publish() {
	if shared := l.listener.Load(); shared != nil {
		(*shared).Publish()
	}
}

// breakOff ends every reader with ErrExpired: the cache was loaded anew and events may be missing.
func (l *eventList) breakOff() {
	l.broken.Store(true)
	close(l.tail().ready)
	l.publish()
}

// end ends every reader with context.Canceled: the store has stopped.
func (l *eventList) end() {
	l.ended.Store(true)
	close(l.tail().ready)
	l.publish()
}

// after finds the node just before the first event later than a revision.
func (l *eventList) after(revision int64) (*node, error) {
	if revision < l.nodes[0].event.Item.Revision {
		return nil, ErrExpired
	}
	i := sort.Search(len(l.nodes), func(i int) bool { return l.nodes[i].event.Item.Revision > revision })
	return l.nodes[i-1], nil
}

// shared tells whether several events are of one revision: a transaction of many.
func (l *eventList) shared(revision int64) bool {
	if revision == l.torn {
		return true
	}
	i := sort.Search(len(l.nodes), func(i int) bool { return l.nodes[i].event.Item.Revision >= revision })
	return i+1 < len(l.nodes) && l.nodes[i+1].event.Item.Revision == revision
}

// Watch is a cursor over a resource's events. A slow reader costs nobody anything: it is left behind.
// One goroutine may use it.
type Watch struct {
	list     *eventList
	node     *node
	after    int64
	revision func() int64
	events   []Event // that were returned last; its room serves again
}

// batch bounds how many events Next gives at once.
const batch = 512

// few is how many events a reader keeps room for.
const few = 8

// Next blocks until there is at least one event. What it returns is good until the next call. It returns ErrExpired
// when the reader fell too far behind, context.Canceled when the store has stopped.
func (w *Watch) Next(ctx context.Context) ([]Event, error) {
	for {
		select { // of no more than these two: thousands of readers wake at the same time, and each looks at all of them
		case <-w.node.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if cap(w.events) > few {
			w.events = nil
		}
		var err error
		if w.events, err = w.Take(w.events[:0]); len(w.events) > 0 || err != nil {
			return w.events, err
		}
	}
}

// Take is Next that does not wait: it appends what there is by now, which may be nothing.
func (w *Watch) Take(dst []Event) ([]Event, error) {
	switch {
	case w.list.ended.Load():
		return dst, context.Canceled
	case w.list.broken.Load() || w.node.seq < w.list.oldest.Load():
		return dst, ErrExpired
	}
	for full := len(dst) + batch; len(dst) < full && w.more(); {
		w.node = w.node.next
		if e := w.node.event; e.Item.Revision > w.after {
			dst = append(dst, e)
		}
	}
	return dst, nil
}

// Listen gives the listener that the watches of the resource share, and makes it for the first of them. Who has it
// published to looks again whether there is something to Take, once after this too.
func (w *Watch) Listen(create func() Listener) Listener {
	if w.list.listener.Load() == nil {
		created := create()
		w.list.listener.CompareAndSwap(nil, &created)
	}
	return *w.list.listener.Load()
}

func (w *Watch) more() bool { return w.node.followed() }

// followed tells whether there is an event after this one. It makes next safe to read.
func (n *node) followed() bool {
	select {
	case <-n.ready:
		return n.next != nil
	default:
		return false
	}
}

// Revision is the newest revision up to which every event has been returned, for bookmarks.
func (w *Watch) Revision() int64 {
	revision := w.revision() // read first: an event that comes now is later than it
	more := w.more()
	if !more && !w.list.broken.Load() { // of what came after the break nothing was returned
		return max(w.after, revision)
	}
	returned := w.node.event.Item.Revision
	if more && w.node.next.event.Item.Revision == returned { // in the middle of a transaction of many
		returned--
	}
	return max(w.after, returned)
}
