package h2

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Topic is what many streams, of many connections, wait for together. Nobody's goroutine is woken when there is news: a
// few, one for each processor, go round the connections and send for all.
type Topic struct {
	mu      sync.Mutex
	groups  map[*conn]*group
	all     []*group // of groups; nil once that has changed. Never modified: a round may be at it
	due     bool     // another round is
	running bool
}

// group is the streams of one connection. The topic's mutex guards it.
type group struct {
	conn   *conn
	pushes []*push
}

// Publish has every stream that is pushed by the topic send what its source has by now. It does not wait for that.
func (t *Topic) Publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due = len(t.groups) > 0
	if t.due && !t.running {
		t.running = true
		go t.run()
	}
}

// run goes round as often as something has been published, whatever came meanwhile together.
func (t *Topic) run() {
	for all := t.begin(); all != nil; all = t.begin() {
		var next atomic.Int64
		var others sync.WaitGroup
		for range min(runtime.GOMAXPROCS(0), len(all)) - 1 {
			others.Go(func() { t.round(all, &next) })
		}
		t.round(all, &next)
		others.Wait()
	}
}

// begin gives the groups of a round that is due, or ends running. Who joins later looks for itself first.
func (t *Topic) begin() []*group {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.due || len(t.groups) == 0 {
		t.running = false
		return nil
	}
	t.due = false
	if t.all == nil {
		t.all = slices.Collect(maps.Values(t.groups))
	}
	return t.all
}

// yieldAfter is how many streams are served before others on the processor have their turn.
const yieldAfter = 16

// round serves one group after the other, until there is none left.
func (t *Topic) round(all []*group, next *atomic.Int64) {
	room := pushRooms.Get().(*pushRoom)
	defer room.release()
	served := 0
	for i := next.Add(1) - 1; int(i) < len(all); i = next.Add(1) - 1 {
		g := all[i]
		t.mu.Lock()
		room.pushes = append(room.pushes[:0], g.pushes...)
		t.mu.Unlock()
		g.conn.push(room)
		if served += len(room.pushes); served >= yieldAfter {
			served = 0
			runtime.Gosched() // requests that have come meanwhile need not wait for the whole round
		}
	}
}

// join has p's stream pushed when there is news.
func (t *Topic) join(p *push) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := p.st.conn
	g := t.groups[c]
	if g == nil {
		if t.groups == nil {
			t.groups = map[*conn]*group{}
		}
		g = &group{conn: c}
		t.groups[c], t.all = g, nil
	}
	p.place = len(g.pushes)
	g.pushes = append(g.pushes, p)
}

func (t *Topic) leave(p *push) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.groups[p.st.conn]
	end := len(g.pushes) - 1
	last := g.pushes[end]
	g.pushes[p.place], last.place = last, p.place
	g.pushes[end] = nil
	if g.pushes = g.pushes[:end]; end == 0 {
		delete(t.groups, g.conn)
		t.all = nil
	}
}
