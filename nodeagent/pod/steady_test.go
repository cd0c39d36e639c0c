package pod

import (
	"testing"
	"time"
)

// TestSteady: a wall clock's time becomes one that later changes of that clock do not move.
func TestSteady(t *testing.T) {
	for _, c := range []struct {
		name      string
		wall, age time.Duration // how long ago something happened, by the wall clock and as it is to be taken
	}{
		{"just now", 0, 0},
		{"an hour ago", time.Hour, time.Hour},
		{"in the future: the clock was set back since", -time.Hour, 0},
	} {
		if got := now.Sub(steady(ago(c.wall), now)); got != c.age {
			t.Errorf("%s: %s ago, want %s", c.name, got, c.age)
		}
	}
	if age := now.Sub(steady(time.Time{}, now)); age < 24*time.Hour {
		t.Errorf("what has no time was %s ago", age)
	}
	start := ago(time.Minute)
	a := anchor{}.at(start, now)
	if again := a.at(start, now.Add(3*time.Hour)); again != a || !again.of(start).Equal(start) {
		t.Errorf("the anchor moved from %v to %v", a, again)
	}
	if other := a.at(ago(time.Hour), now); !other.of(ago(time.Hour)).Equal(ago(time.Hour)) || !a.of(ago(time.Hour)).Equal(ago(time.Hour)) {
		t.Errorf("another time is taken for the first one: %v", other)
	}
}
