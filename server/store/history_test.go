package store_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// contended is how many keys the clients of a storm fight for.
const contended = 4

// cell is what one key holds; the zero cell is no object. Values are unique.
type cell struct {
	revision int64
	value    string
}

// state is the contended keys, as of a revision of the whole store.
type state struct {
	revision int64
	cells    [contended]cell
}

// write is one op of a transaction: what the client believes is there, and what it wants to be; "" deletes.
type write struct {
	key    int
	expect cell
	value  string
}

// call is a transaction, or a consistent list when it writes nothing.
type call struct{ writes []write }

// answer is what a call brought: the state that a list showed, or a transaction's revision. lost is the key, from 1,
// that a conflict named.
type answer struct {
	state
	lost int
}

// linear is what the store promises: one call after the other, each between its start and its end.
var linear = porcupine.Model{
	Init: func() any { return state{} },
	Step: func(before, input, output any) (bool, any) {
		return step(before.(state), input.(call), output.(answer))
	},
	DescribeOperation: func(input, output any) string {
		return fmt.Sprintf("%+v -> %+v", input.(call).writes, output.(answer))
	},
}

func step(s state, c call, a answer) (bool, state) {
	switch {
	case len(c.writes) == 0:
		return a.cells == s.cells && a.revision >= s.revision, a.state
	case a.lost > 0:
		for _, w := range c.writes {
			if match := s.cells[w.key] == w.expect; w.key == a.lost-1 || !match {
				return !match && w.key == a.lost-1, s // the first one that fails is named
			}
		}
		return false, s
	}
	for _, w := range c.writes {
		if s.cells[w.key] != w.expect {
			return false, s
		}
		if s.cells[w.key] = (cell{a.revision, w.value}); w.value == "" {
			s.cells[w.key] = cell{}
		}
	}
	after := state{a.revision, s.cells}
	return a.revision > s.revision, after
}

// checkLinear fails the test with the shortest beginning of a history that no order of its calls explains.
func checkLinear(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	sort.Slice(history, func(i, j int) bool { return history[i].Return < history[j].Return })
	illegal := func(n int) bool {
		return porcupine.CheckOperationsTimeout(linear, history[:n], time.Minute) == porcupine.Illegal
	}
	if r := porcupine.CheckOperationsTimeout(linear, history, time.Minute); r == porcupine.Ok {
		return
	} else if r == porcupine.Unknown {
		t.Errorf("a history of %d calls was not decided in a minute", len(history))
		return
	}
	n := sort.Search(len(history), illegal)
	var calls strings.Builder
	for _, o := range history[max(0, n-12):n] {
		fmt.Fprintf(&calls, "client %d [%d, %d] %s\n", o.ClientId, o.Call, o.Return, linear.DescribeOperation(o.Input, o.Output))
	}
	t.Errorf("the first %d of %d calls are not linearizable; the last of those:\n%s", n, len(history), &calls)
}

// TestTheModel: the check itself can tell.
func TestTheModel(t *testing.T) {
	a, b := cell{2, "a"}, cell{3, "b"}
	put := func(expect cell, value string) call { return call{[]write{{0, expect, value}}} }
	at := func(revision int64, c cell) answer { return answer{state: state{revision, [contended]cell{c}}} }
	for name, tt := range map[string]struct {
		before state
		call   call
		answer answer
		legal  bool
	}{
		"a create":                  {state{}, put(cell{}, "a"), at(2, cell{}), true},
		"a create of what is there": {at(2, a).state, put(cell{}, "b"), at(3, cell{}), false},
		"an update":                 {at(2, a).state, put(a, "b"), at(3, cell{}), true},
		"an update of the past":     {at(3, b).state, put(a, "c"), at(4, cell{}), false},
		"a revision again":          {at(3, b).state, put(b, "c"), at(3, cell{}), false},
		"a conflict":                {at(3, b).state, put(a, "c"), answer{lost: 1}, true},
		"a conflict without reason": {at(2, a).state, put(a, "c"), answer{lost: 1}, false},
		"a list":                    {at(3, b).state, call{}, at(3, b), true},
		"a list of the past":        {at(3, b).state, call{}, at(2, a), false},
		"a stale revision":          {at(3, b).state, call{}, at(2, b), false},
		"a list before the write":   {at(2, a).state, call{}, at(3, b), false},
	} {
		if legal, _ := step(tt.before, tt.call, tt.answer); legal != tt.legal {
			t.Errorf("%s: legal is %v", name, legal)
		}
	}
}
