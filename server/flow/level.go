package flow

import "fmt"

// level says what a sort of requests gets of the server.
type level struct {
	name     string
	shares   int // of the server's seats, relative to the other levels'; 0: exempt, served at once
	lendable int // percent of its seats that others may use while they are free
	queue    int // requests that may wait; 0: none, they are refused
}

// queue is how many requests of one level wait at most. One takes some 20 KiB: its goroutine and its headers.
const queue = 2000

// levels are Kubernetes' suggested and mandatory ones.
var levels = []level{
	{name: "exempt"},
	{name: "leader-election", shares: 10, lendable: 0, queue: queue},
	{name: "node-high", shares: 40, lendable: 25, queue: queue},
	{name: "system", shares: 30, lendable: 33, queue: queue},
	{name: "workload-high", shares: 40, lendable: 50, queue: queue},
	{name: "workload-low", shares: 100, lendable: 90, queue: queue},
	{name: "global-default", shares: 20, lendable: 50, queue: queue},
	{name: "catch-all", shares: 5, lendable: 0},
}

// share is a level at work: its seats, and who waits for them. Controller.mu guards it.
type share struct {
	level
	nominal int // seats that are its own
	kept    int // of them, those that nobody else may use
	most    int // seats that it can have when all others are idle

	used    int // seats taken now
	waiting int // requests
	turns   turns
	flows   map[flowKey]*line // those with requests that wait or are served
}

// newShares divides seats between levels.
func newShares(levels []level, seats int) (map[string]*share, error) {
	sum := 0
	for _, l := range levels {
		sum += l.shares
	}
	shares := make(map[string]*share, len(levels))
	kept := 0
	for _, l := range levels {
		s := &share{level: l, flows: map[flowKey]*line{}}
		if l.shares > 0 {
			s.nominal = max(1, seats*l.shares/sum)
			s.kept = max(1, s.nominal*(100-l.lendable)/100)
		}
		kept += s.kept
		shares[l.name] = s
	}
	if kept > seats {
		return nil, fmt.Errorf("flow: %d seats are too few for %d levels", seats, len(levels))
	}
	for _, s := range shares {
		s.most = seats - (kept - s.kept)
	}
	return shares, nil
}

// exempt requests are counted and never wait.
func (s *share) exempt() bool { return s.shares == 0 }

// need orders levels: who uses least of what is its own comes first.
func (s *share) need() float64 { return float64(s.used) / float64(s.nominal) }

// keeps says whether more seats are among those that nobody else may use.
func (s *share) keeps(seats int) bool { return s.used+seats <= s.kept }

// adds is how many seats more a level holds, used or kept, when it uses some more.
func (s *share) adds(seats int) int { return max(s.used+seats, s.kept) - max(s.used, s.kept) }

// room says whether one more request of a flow may wait. A flow gets at most as much of the queue as is still free:
// however many fill it, something is left for who comes next.
func (s *share) room(l *line) bool { return l.waiting.Len() < s.queue-s.waiting }

// full is why a request that there is no room for is refused.
func (s *share) full() string {
	if s.queue == 0 {
		return AtLimit
	}
	return QueueFull
}
