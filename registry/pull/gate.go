package pull

import (
	"container/heap"
	"context"
	"sync"
)

// gate lets at most n through at once; of those who wait, the lowest rank goes first. A pull's connections are such a
// gate, and layers rank from the base up, so that the engine can unpack the base while the rest arrives.
type gate struct {
	mu      sync.Mutex
	free    int
	waiting waiters
}

func newGate(n int) *gate { return &gate{free: n} }

// enter waits for a place; leave gives it back.
func (g *gate) enter(ctx context.Context, rank int) error {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	w := &waiter{rank: rank, admitted: make(chan struct{})}
	heap.Push(&g.waiting, w)
	g.mu.Unlock()
	select {
	case <-w.admitted:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.index < 0 { // admitted meanwhile: hand the place on
		g.admit()
	} else {
		heap.Remove(&g.waiting, w.index)
	}
	return ctx.Err()
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.admit()
}

func (g *gate) admit() {
	if len(g.waiting) == 0 {
		g.free++
		return
	}
	close(heap.Pop(&g.waiting).(*waiter).admitted)
}

type waiter struct {
	rank, index int
	admitted    chan struct{}
}

// waiters is a heap by rank.
type waiters []*waiter

func (w waiters) Len() int           { return len(w) }
func (w waiters) Less(i, j int) bool { return w[i].rank < w[j].rank }
func (w waiters) Swap(i, j int)      { w[i], w[j] = w[j], w[i]; w[i].index, w[j].index = i, j }

func (w *waiters) Push(x any) {
	item := x.(*waiter)
	item.index = len(*w)
	*w = append(*w, item)
}

func (w *waiters) Pop() any {
	old := *w
	last := old[len(old)-1]
	*w, last.index = old[:len(old)-1], -1
	return last
}
