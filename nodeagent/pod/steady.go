package pod

import "time"

// Times that the engine or the API tells are the wall clock's, which people and time servers set, forwards or back. What
// waits for so much time to pass since then must not wait for hours then, or not at all: where it is first looked at, such
// a time becomes one on the clock that nobody sets (time.Time's monotonic reading).

// steady is when something happened of which the wall clock's time is known. What would lie in the future happened now.
func steady(wall, now time.Time) time.Time {
	return now.Add(-max(0, now.Sub(wall)))
}

// anchor is one such time. The zero value is none.
type anchor struct {
	wall, steady time.Time
}

// at is the anchor of a wall clock's time: the same as long as that is.
func (a anchor) at(wall, now time.Time) anchor {
	if a.wall.Equal(wall) {
		return a
	}
	return anchor{wall, steady(wall, now)}
}

// of is when something happened; what is not anchored, when the wall clock says.
func (a anchor) of(wall time.Time) time.Time {
	if a.wall.Equal(wall) {
		return a.steady
	}
	return wall
}
