package scheduler

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// tally is how many pods of some sort there are in each domain of a topology: of each value of a node label. It is kept up
// to date with every pod and node that comes, changes or goes, and by the nodes' slots, so that asking costs nothing.
type tally struct {
	key      string
	about    func(*class) bool       // whose pods count
	eligible func(*corev1.Node) bool // nil: all nodes with the label count
	living   bool                    // pods that are being deleted do not count

	at      []spot // by the nodes' slots
	domains map[string]*domain
	counted int           // domains with nodes that count
	levels  map[int64]int // how many of these have so many pods
	low     int64         // none of them has fewer
	total   int64         // pods in all of them

	used uint64 // the last decision that asked
}

// spot is a node in a tally.
type spot struct {
	domain *domain // nil: the node is not there, or does not have the label
	counts bool    // its pods count in the domain
	pods   int64   // on the node, whether they count or not
}

type domain struct {
	pods    int64
	members int    // nodes with that value
	nodes   int    // of these, those that count
	seen    uint64 // the last decision that has counted it among others
}

func newTally(key string, about func(*class) bool, eligible func(*corev1.Node) bool, living bool) *tally {
	return &tally{
		key: key, about: about, eligible: eligible, living: living,
		domains: make(map[string]*domain), levels: make(map[int64]int),
	}
}

// spot returns a node's, making a place for it.
func (t *tally) spot(n *nodeInfo) *spot {
	if n.slot >= len(t.at) {
		t.at = slices.Grow(t.at, n.slot+1-len(t.at))[:n.slot+1]
	}
	return &t.at[n.slot]
}

// add adds pods, or takes them away, on a node that may be there or not.
func (t *tally) add(n *nodeInfo, pods int64) {
	at := t.spot(n)
	at.pods += pods
	if at.counts {
		t.shift(at.domain, pods)
	}
}

// join takes a node in, with the pods on it.
func (t *tally) join(n *nodeInfo) {
	value, ok := n.node.Labels[t.key]
	if !ok {
		return
	}
	at := t.spot(n)
	if at.domain = t.domains[value]; at.domain == nil {
		at.domain = &domain{}
		t.domains[value] = at.domain
	}
	at.domain.members++
	if at.counts = t.eligible == nil || t.eligible(n.node); !at.counts {
		return
	}
	if at.domain.nodes++; at.domain.nodes == 1 {
		t.counted++
		t.levels[0]++
		t.low = 0
	}
	t.shift(at.domain, at.pods)
}

// part takes a node out, as it was when it was taken in; value is that of its label.
func (t *tally) part(n *nodeInfo, value string) {
	at := t.spot(n)
	d := at.domain
	if d == nil {
		return
	}
	if at.counts {
		t.shift(d, -at.pods)
		if d.nodes--; d.nodes == 0 {
			t.counted--
			t.level(d.pods, -1)
		}
	}
	if d.members--; d.members == 0 {
		delete(t.domains, value)
	}
	at.domain, at.counts = nil, false
}

func (t *tally) shift(d *domain, pods int64) {
	if pods == 0 {
		return
	}
	t.level(d.pods, -1)
	d.pods += pods
	t.total += pods
	t.level(d.pods, 1)
	t.low = min(t.low, d.pods)
}

func (t *tally) level(pods int64, times int) {
	if t.levels[pods] += times; t.levels[pods] == 0 {
		delete(t.levels, pods)
	}
}

// least is how many pods the domain with the fewest has; 0 when there are no domains.
func (t *tally) least() int64 {
	if t.counted == 0 {
		return 0
	}
	for t.levels[t.low] == 0 {
		t.low++
	}
	return t.low
}

// knows tells whether a node has the label.
func (t *tally) knows(n *nodeInfo) bool { return t.at[n.slot].domain != nil }

// around is how many pods there are in the domain that a node is in.
func (t *tally) around(n *nodeInfo) int64 {
	if d := t.at[n.slot].domain; d != nil {
		return d.pods
	}
	return 0
}

// mostTallies is how many are kept: those that were asked for last.
const mostTallies = 512

// tally returns the one by a name, which says all of what it counts; it is made when it is first asked for.
func (c *cluster) tally(name string, blank func() *tally) *tally {
	t := c.tallies[name]
	if t == nil {
		t = blank()
		c.fill(t)
		c.tallies[name] = t
	}
	t.used = c.decisions
	if len(c.tallies) > mostTallies {
		c.dropTallies()
	}
	return t
}

// fill counts what there is.
func (c *cluster) fill(t *tally) {
	for _, k := range c.classes {
		if !t.about(k) {
			continue
		}
		k.tallies = append(k.tallies, t)
		for n, at := range k.on {
			if t.living {
				t.spot(n).pods += at.living
			} else {
				t.spot(n).pods += at.all
			}
		}
	}
	t.joinAll(c)
}

// joinAll takes in all nodes that are there.
func (t *tally) joinAll(c *cluster) {
	t.at = slices.Grow(t.at, max(0, c.slots-len(t.at)))
	t.at = t.at[:max(len(t.at), c.slots)]
	for _, n := range c.nodes {
		t.join(n)
	}
}

// dropTallies keeps the half that was asked for last, and those that the current decision has.
func (c *cluster) dropTallies() {
	used := make([]uint64, 0, len(c.tallies))
	for _, t := range c.tallies {
		used = append(used, t.used)
	}
	slices.SortFunc(used, func(a, b uint64) int { return cmp.Compare(b, a) })
	oldest := used[len(used)/2]
	c.keepTallies(func(t *tally) bool { return t.used > oldest || t.used == c.decisions })
}

// keepTallies forgets the tallies for which keep is false.
func (c *cluster) keepTallies(keep func(*tally) bool) {
	gone := make(map[*tally]bool)
	for name, t := range c.tallies {
		if !keep(t) {
			gone[t] = true
			delete(c.tallies, name)
		}
	}
	for _, k := range c.classes {
		k.tallies = slices.DeleteFunc(k.tallies, func(t *tally) bool { return gone[t] })
	}
}
