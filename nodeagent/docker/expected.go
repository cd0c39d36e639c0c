package docker

import (
	"sync"

	"github.com/moby/moby/api/types/events"
)

// expected are events that this agent's own calls cause: who made the call looks at what came of it anyway, and with
// many pods at once looking for each event too takes the engine a tenth of its time. An event that is heard is expected
// no longer, and none is when the call failed: the engine may do it all the same, later.
type expected struct {
	mu     sync.Mutex
	events map[expectation]bool // nil while nobody listens
}

// expectation is an action on the container of a name or ID.
type expectation struct {
	action    events.Action
	container string
}

// listen begins anew: what was expected of another stream may have been lost with it.
func (x *expected) listen() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.events = map[expectation]bool{}
}

// close is for when nobody listens any more.
func (x *expected) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.events = nil
}

// during calls the engine, which is to tell of it by one event.
func (x *expected) during(action events.Action, container string, call func() error) error {
	e := expectation{action, container}
	x.mu.Lock()
	if x.events != nil {
		x.events[e] = true
	}
	x.mu.Unlock()
	err := call()
	if err != nil {
		x.take(e)
	}
	return err
}

// has says whether an event was expected.
func (x *expected) has(m events.Message) bool {
	if m.Action == events.ActionDie { // it ran before it was started: then no event came of that
		x.take(expectation{events.ActionStart, m.Actor.ID})
	}
	return x.take(expectation{m.Action, m.Actor.ID}) || x.take(expectation{m.Action, m.Actor.Attributes["name"]})
}

func (x *expected) take(e expectation) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	there := x.events[e]
	delete(x.events, e)
	return there
}
