package flow

import (
	"cmp"
	"slices"
)

// dispatch serves everyone for whom there are seats. Levels are asked by their need; behind one whose next request
// does not fit, the others get no more than is kept for them, so that seats gather for it. f.mu is held.
func (f *Controller) dispatch() {
	for f.dispatchOne() {
	}
}

func (f *Controller) dispatchOne() bool {
	var room [8]*share
	asking := room[:0]
	for _, s := range f.shares {
		if s.waiting > 0 {
			asking = append(asking, s)
		}
	}
	slices.SortStableFunc(asking, func(a, b *share) int { return cmp.Compare(a.need(), b.need()) })
	blocked := false
	for _, s := range asking {
		l, w := s.first()
		if blocked && !s.keeps(w.seats) || !f.fits(s, w.seats) {
			blocked = true
			continue
		}
		f.serve(s, l, w)
		return true
	}
	return false
}

func (f *Controller) serve(s *share, l *line, w *waiter) {
	s.begin(l, w.seats)
	s.remove(l, w)
	w.place = nil
	f.take(s, w.seats)
	close(w.admitted)
}

// waiting is how many requests wait in all levels. f.mu is held.
func (f *Controller) waiting() int {
	n := 0
	for _, s := range f.shares {
		n += s.waiting
	}
	return n
}

// fits says whether a level can have more seats, with what is kept for all others left to them. f.mu is held.
func (f *Controller) fits(s *share, seats int) bool { return f.held+s.adds(seats) <= f.seats }

// take changes how many seats a level uses. f.mu is held.
func (f *Controller) take(s *share, seats int) {
	f.held += s.adds(seats)
	s.used += seats
}
