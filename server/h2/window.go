package h2

import "math"

// window is what this side may send: of a stream, or of a connection. It is below zero when the client has made it
// smaller than what is on its way already.
type window int64

// grow adds what the client takes. It is false beyond what a window can be.
func (w *window) grow(n int64) bool {
	*w += window(n)
	return *w <= math.MaxInt32
}

// inflow is what the client may send.
type inflow struct {
	open int // bytes it knows of
	owed int // bytes that it may send besides and has not been told of
}

// take counts what came. It is false when that was more than allowed.
func (f *inflow) take(n int) bool {
	if n > f.open {
		return false
	}
	f.open -= n
	return true
}

// give returns what is used up, and gives what is to be said: nothing while the client has enough for now.
func (f *inflow) give(n int) (increment uint32) {
	f.owed += n
	if f.owed == 0 || f.owed < f.open {
		return 0
	}
	increment = uint32(f.owed)
	f.open, f.owed = f.open+f.owed, 0
	return increment
}
