package flow

import (
	"container/heap"
	"container/list"
	"time"
)

// guess is how long a request counts as having taken until it has ended.
const guess = 3 * time.Millisecond

type flowKey struct{ schema, name string }

// line is the requests of one flow. It is kept for as long as there are any.
type line struct {
	key     flowKey
	waiting list.List // of *waiter, the oldest first
	serving int       // requests
	had     float64   // the work that it has had, in seconds on one seat, as turns counts it
	index   int       // in turns; -1 when none waits
}

// waiter is a request in a line.
type waiter struct {
	seats    int
	place    *list.Element
	admitted chan struct{} // closed when it is served
}

// turns are the lines with waiting requests; whose turn it is stands at the front: the one that had least. A line that
// comes anew starts where the last one served stood, so that having been away saves nothing up (start-time fair
// queueing, Goyal, Vin and Cheng 1996).
type turns struct {
	lines []*line
	now   float64 // what the last line that was served had had before
}

func (t *turns) Len() int           { return len(t.lines) }
func (t *turns) Less(i, j int) bool { return t.lines[i].had < t.lines[j].had }

func (t *turns) Swap(i, j int) {
	t.lines[i], t.lines[j] = t.lines[j], t.lines[i]
	t.lines[i].index, t.lines[j].index = i, j
}

func (t *turns) Push(x any) {
	l := x.(*line)
	l.index = len(t.lines)
	t.lines = append(t.lines, l)
}

func (t *turns) Pop() any {
	last := len(t.lines) - 1
	l := t.lines[last]
	t.lines[last] = nil
	t.lines = t.lines[:last]
	l.index = -1
	return l
}

// line finds a flow's, or begins one.
func (s *share) line(key flowKey) *line {
	l, ok := s.flows[key]
	if !ok {
		l = &line{key: key, had: s.turns.now, index: -1}
		s.flows[key] = l
	}
	return l
}

// add puts a request at the end of its line.
func (s *share) add(l *line, w *waiter) {
	w.place = l.waiting.PushBack(w)
	s.waiting++
	if l.index < 0 {
		heap.Push(&s.turns, l)
	}
}

// remove takes a request out of its line.
func (s *share) remove(l *line, w *waiter) {
	l.waiting.Remove(w.place)
	s.waiting--
	if l.waiting.Len() == 0 {
		heap.Remove(&s.turns, l.index)
	}
	s.forget(l)
}

// first is whose turn it is; nil when nobody waits.
func (s *share) first() (*line, *waiter) {
	if len(s.turns.lines) == 0 {
		return nil, nil
	}
	l := s.turns.lines[0]
	return l, l.waiting.Front().Value.(*waiter)
}

// begin charges a line for a request whose turn it is.
func (s *share) begin(l *line, seats int) {
	s.turns.now = max(s.turns.now, l.had)
	l.serving++
	s.charge(l, float64(seats)*guess.Seconds())
}

// end charges what the request took beyond the guess, or gives the rest back.
func (s *share) end(l *line, seats int, took time.Duration) {
	l.serving--
	s.charge(l, float64(seats)*(took-guess).Seconds())
	s.forget(l)
}

func (s *share) charge(l *line, work float64) {
	l.had += work
	if l.index >= 0 {
		heap.Fix(&s.turns, l.index)
	}
}

func (s *share) forget(l *line) {
	if l.serving == 0 && l.waiting.Len() == 0 {
		delete(s.flows, l.key)
	}
}
