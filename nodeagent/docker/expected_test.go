package docker

import (
	"errors"
	"testing"

	"github.com/moby/moby/api/types/events"
)

// TestExpected makes calls and hears of them: what they cause is expected once, where they succeeded and somebody
// listened when they were made.
func TestExpected(t *testing.T) {
	event := func(action events.Action) events.Message {
		return events.Message{Action: action, Actor: events.Actor{ID: "id", Attributes: map[string]string{"name": "name"}}}
	}
	call := func(x *expected, action events.Action, container string, err error) {
		if got := x.during(action, container, func() error { return err }); !errors.Is(got, err) {
			t.Errorf("the call's error %v became %v", err, got)
		}
	}
	for _, c := range []struct {
		name string
		do   func(x *expected)
		hear events.Action
		want bool
	}{
		{"made by name", func(x *expected) { call(x, events.ActionCreate, "name", nil) }, events.ActionCreate, true},
		{"started by ID", func(x *expected) { call(x, events.ActionStart, "id", nil) }, events.ActionStart, true},
		{"made, then started by another", func(x *expected) { call(x, events.ActionCreate, "name", nil) }, events.ActionStart, false},
		{"another one started", func(x *expected) { call(x, events.ActionStart, "other", nil) }, events.ActionStart, false},
		{"the call failed", func(x *expected) { call(x, events.ActionStart, "id", errors.New("no")) }, events.ActionStart, false},
		{"heard before", func(x *expected) {
			call(x, events.ActionStart, "id", nil)
			x.has(event(events.ActionStart))
		}, events.ActionStart, false},
		{"it ran already, and has ended since", func(x *expected) {
			call(x, events.ActionStart, "id", nil)
			if x.has(event(events.ActionDie)) {
				t.Error("an end is expected")
			}
		}, events.ActionStart, false},
		{"of an earlier stream", func(x *expected) {
			call(x, events.ActionStart, "id", nil)
			x.listen()
		}, events.ActionStart, false},
		{"while nobody listened", func(x *expected) {
			x.close()
			call(x, events.ActionStart, "id", nil)
			x.listen()
		}, events.ActionStart, false},
	} {
		var x expected
		x.listen()
		c.do(&x)
		if got := x.has(event(c.hear)); got != c.want {
			t.Errorf("%s: expected %t, want %t", c.name, got, c.want)
		}
	}
}
