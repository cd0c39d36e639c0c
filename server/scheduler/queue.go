package scheduler

import (
	"container/heap"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	firstBackoff = time.Second      // after a pod was refused once; then twice as long each time
	lastBackoff  = 10 * time.Second // at most
	longestPark  = 5 * time.Minute  // then a refused pod is tried whatever happened
)

// queue is the pods that wait for a node: those to try now, by priority and then age; those that back off; and
// those that were refused, parked until something changes that may help. It is not safe for concurrent use.
type queue struct {
	known   map[types.UID]*waiter
	ready   waiters                          // by priority, age
	backing waiters                          // by the time from when on to try again
	parked  map[change]map[types.UID]*waiter // by what may wake them: most changes concern few

	firstBackoff, lastBackoff time.Duration
}

// waiter is a pod in the queue.
type waiter struct {
	info      *podInfo
	added     time.Time // when the pod came into the queue
	attempts  int
	last      time.Time // of the last attempt
	retry     time.Time // while backing off
	wake      change    // while parked
	refusedBy []*filter // while parked; none: every change of those kinds counts
	index     int       // in the heap that it is in
	in        *waiters  // nil: being tried, or parked
}

func newQueue() *queue {
	return &queue{
		known:   make(map[types.UID]*waiter),
		ready:   waiters{before: moreUrgent},
		backing: waiters{before: func(a, b *waiter) bool { return a.retry.Before(b.retry) }},
		parked:  make(map[change]map[types.UID]*waiter),

		firstBackoff: firstBackoff, lastBackoff: lastBackoff,
	}
}

func moreUrgent(a, b *waiter) bool {
	switch {
	case a.info.priority != b.info.priority:
		return a.info.priority > b.info.priority
	case !a.info.since.Equal(b.info.since):
		return a.info.since.Before(b.info.since)
	}
	return a.info.uid < b.info.uid
}

// add takes a pod in, or its new state. A state that differs in what is decided by is tried at once.
func (q *queue) add(p *podInfo) {
	w, ok := q.known[p.uid]
	if !ok {
		w = &waiter{info: p, added: time.Now()}
		q.known[p.uid] = w
		q.toReady(w)
		return
	}
	same := sameForScheduling(w.info.pod, p.pod)
	if same {
		w.info.pod = p.pod
		return
	}
	w.info = p
	q.toReady(w)
}

// remove forgets a pod.
func (q *queue) remove(uid types.UID) {
	if w, ok := q.known[uid]; ok {
		q.leave(w)
		delete(q.known, uid)
	}
}

// leave takes a waiter out of where it waits.
func (q *queue) leave(w *waiter) {
	if w.in != nil {
		heap.Remove(w.in, w.index)
		w.in = nil
	}
	delete(q.parked[w.wake], w.info.uid)
}

func (q *queue) toReady(w *waiter) {
	q.leave(w)
	w.in = &q.ready
	heap.Push(w.in, w)
}

// pop returns the pod to try next, or nil. It stays known, and is given back by park, again or remove.
func (q *queue) pop(now time.Time) *waiter {
	q.wakeUp(now)
	if q.ready.Len() == 0 {
		return nil
	}
	w := q.ready.list[0]
	q.leave(w)
	w.attempts++
	w.last = now
	return w
}

// wakeUp moves those whose time has come to where they are tried.
func (q *queue) wakeUp(now time.Time) {
	for q.backing.Len() > 0 && !q.backing.list[0].retry.After(now) {
		q.toReady(q.backing.list[0])
	}
}

// next is when a pod that backs off is to be tried; ok is false when none does.
func (q *queue) next() (at time.Time, ok bool) {
	if q.backing.Len() == 0 {
		return time.Time{}, false
	}
	return q.backing.list[0].retry, true
}

// park keeps a pod that was refused until one of the changes that may let it pass the filters.
func (q *queue) park(w *waiter, wake change, filters []*filter) {
	q.leave(w)
	w.wake, w.refusedBy = wake, filters
	if q.parked[wake] == nil {
		q.parked[wake] = make(map[types.UID]*waiter)
	}
	q.parked[wake][w.info.uid] = w
}

// again lets a pod that could not be bound back off.
func (q *queue) again(w *waiter) {
	q.leave(w)
	w.retry = w.last.Add(q.backoff(w.attempts))
	w.in = &q.backing
	heap.Push(w.in, w)
}

// happened wakes the parked pods that a change may help. They are tried when they have backed off.
func (q *queue) happened(c change, helps func(*waiter) bool) {
	for wake, parked := range q.parked {
		if wake&c == 0 {
			continue
		}
		for _, w := range parked {
			if len(w.refusedBy) == 0 || helps(w) {
				q.again(w)
			}
		}
	}
}

// wakeOne lets a parked pod be tried again, when it has backed off.
func (q *queue) wakeOne(uid types.UID) {
	if w := q.known[uid]; w != nil && q.parked[w.wake][uid] == w {
		q.again(w)
	}
}

// flush wakes those that have been parked for long, in case they wait for something that no change tells.
func (q *queue) flush(now time.Time) {
	for _, parked := range q.parked {
		for _, w := range parked {
			if now.Sub(w.last) >= longestPark {
				q.again(w)
			}
		}
	}
}

func (q *queue) backoff(attempts int) time.Duration {
	d := q.firstBackoff
	for i := 1; i < attempts && d < q.lastBackoff; i++ {
		d *= 2
	}
	return min(d, q.lastBackoff)
}

// waiters is a heap.
type waiters struct {
	list   []*waiter
	before func(a, b *waiter) bool
}

func (h *waiters) Len() int           { return len(h.list) }
func (h *waiters) Less(i, j int) bool { return h.before(h.list[i], h.list[j]) }

func (h *waiters) Swap(i, j int) {
	h.list[i], h.list[j] = h.list[j], h.list[i]
	h.list[i].index, h.list[j].index = i, j
}

func (h *waiters) Push(x any) {
	w := x.(*waiter)
	w.index = len(h.list)
	h.list = append(h.list, w)
}

func (h *waiters) Pop() any {
	last := len(h.list) - 1
	w := h.list[last]
	h.list[last] = nil
	h.list = h.list[:last]
	return w
}
