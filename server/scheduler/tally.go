package scheduler

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// tally is how many pods of some sort there are in each domain of a topology: of each value of a node label. It is kept up
// to date with every pod and node that comes, changes or goes, so that asking costs nothing.
type tally struct {
	key      string
	about    func(*class) bool       // whose pods count
	eligible func(*corev1.Node) bool // nil: all nodes with the label count
	living   bool                    // pods that are being deleted do not count

	on      map[*nodeInfo]int64 // pods by node, eligible or not
	domains map[string]*domain
	levels  map[int64]int // how many domains have so many pods
	low     int64         // no domain has fewer
	total   int64         // pods in all domains

	used uint64 // the last decision that asked
}

type domain struct {
	pods  int64
	nodes int
}

func newTally(key string, about func(*class) bool, eligible func(*corev1.Node) bool, living bool) *tally {
	return &tally{
		key: key, about: about, eligible: eligible, living: living,
		on: make(map[*nodeInfo]int64), domains: make(map[string]*domain), levels: make(map[int64]int),
	}
}

// domain returns the value that a node has, if it counts.
func (t *tally) domain(node *corev1.Node) (value string, ok bool) {
	if value, ok = node.Labels[t.key]; !ok || t.eligible != nil && !t.eligible(node) {
		return "", false
	}
	return value, true
}

// add adds pods, or takes them away, on a node that may be there or not.
func (t *tally) add(n *nodeInfo, pods int64) {
	if pods == 0 {
		return
	}
	if t.on[n] += pods; t.on[n] == 0 {
		delete(t.on, n)
	}
	if n.node == nil {
		return
	}
	if value, ok := t.domain(n.node); ok {
		t.shift(t.domains[value], pods)
	}
}

// join takes a node in, with the pods on it.
func (t *tally) join(n *nodeInfo) {
	value, ok := t.domain(n.node)
	if !ok {
		return
	}
	d := t.domains[value]
	if d == nil {
		d = &domain{}
		t.domains[value] = d
		t.levels[0]++
		t.low = 0
	}
	d.nodes++
	t.shift(d, t.on[n])
}

// part takes a node out; node is its state that was taken in.
func (t *tally) part(n *nodeInfo, node *corev1.Node) {
	value, ok := t.domain(node)
	if !ok {
		return
	}
	d := t.domains[value]
	d.nodes--
	t.shift(d, -t.on[n])
	if d.nodes == 0 {
		t.level(d.pods, -1)
		delete(t.domains, value)
	}
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
	if len(t.domains) == 0 {
		return 0
	}
	for t.levels[t.low] == 0 {
		t.low++
	}
	return t.low
}

// pods is how many there are in the domain of a node label's value.
func (t *tally) pods(value string) int64 {
	if d := t.domains[value]; d != nil {
		return d.pods
	}
	return 0
}

// around is how many pods there are in the domain that a node is in.
func (t *tally) around(n *nodeInfo) int64 {
	if value, ok := n.node.Labels[t.key]; ok {
		return t.pods(value)
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
			if pods := at.all; !t.living {
				t.on[n] += pods
			} else if at.living > 0 {
				t.on[n] += at.living
			}
		}
	}
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
