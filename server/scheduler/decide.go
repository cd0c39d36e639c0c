package scheduler

import "fmt"

// decision is one pod over one cluster, with what its rules about other pods need counted beforehand.
type decision struct {
	cluster    *cluster
	pod        *podInfo
	hardSpread []spreadCount
	softSpread []spreadCount
	near       nearCount
	avoid      []domainSet // places with a pod that this one avoids, one a term
	shunned    weights     // how many pods of a place avoid this one
	pull       weights     // what preferences about other pods make of a place
	volumes    podVolumes
}

// newDecision counts. For a pod without rules about others, among pods without such, there is nothing to count.
func newDecision(c *cluster, p *podInfo) *decision {
	d := &c.scratch.decision
	*d = decision{cluster: c, pod: p}
	d.countSpread()
	d.countPodAffinity()
	d.countVolumes()
	return d
}

// scratch is memory that is used again for each decision.
type scratch struct {
	decision decision
	feasible []*nodeInfo
	crowded  []*nodeInfo
	totals   []int64
	raw      []int64
}

// refusal is why a pod fits nowhere, and which changes may help.
type refusal struct {
	message string
	wake    change
	crowded []*nodeInfo // those that refuse it for what pods there take; good until the next refusal
}

// decide returns the best node for a pod, or why there is none. It changes nothing but where the next search
// begins. Of equals the first found is taken, so that the same history gives the same placement.
func (c *cluster) decide(p *podInfo) (*nodeInfo, *refusal) {
	if r := unserved(p, len(c.nodes)); r != nil {
		return nil, r
	}
	d := newDecision(c, p)
	if problem := d.volumes.problem; problem != "" {
		return nil, &refusal{message: fmt.Sprintf("0/%d nodes are available: %s.", len(c.nodes), problem), wake: storageChanged}
	}
	if n := c.nominatedNode(p.uid); n != nil && d.refusedBy(n) == nil {
		return n, nil
	}
	feasible := c.search(d)
	switch len(feasible) {
	case 0:
		return nil, d.refuse()
	case 1:
		return feasible[0], nil
	}
	totals := d.score(feasible)
	best := 0
	for i := range totals {
		if totals[i] > totals[best] {
			best = i
		}
	}
	return feasible[best], nil
}

// search collects nodes that fit, from where the last search ended, until there is enough choice.
func (c *cluster) search(d *decision) []*nodeInfo {
	feasible, enough := c.scratch.feasible[:0], enoughNodes(len(c.nodes))
	visited := 0
	for ; visited < len(c.nodes) && len(feasible) < enough; visited++ {
		n := c.nodes[(c.start+visited)%len(c.nodes)]
		if d.refusedBy(n) == nil {
			feasible = append(feasible, n)
		}
	}
	if visited > 0 {
		c.start = (c.start + visited) % len(c.nodes)
	}
	c.scratch.feasible = feasible
	return feasible
}

// enoughNodes is how many nodes that fit are compared: all of a small cluster, a falling part of a large one,
// 10% of 5,000, never fewer than 5%. As kube-scheduler does.
func enoughNodes(all int) int {
	const few, leastPercent = 100, 5
	return min(all, max(few, all*max(leastPercent, 50-all/125)/100))
}

// refusedBy returns the first filter that refuses a node, or nil. A node must take the pod as it is, and also beside
// those of no lower priority that are nominated for it.
func (d *decision) refusedBy(n *nodeInfo) *filter {
	f := d.firstRefusing(n)
	if f == nil && len(n.nominated) > 0 {
		d.besideNominated(n, func() { f = d.firstRefusing(n) })
	}
	return f
}

// judge is refusedBy with the reasons.
func (d *decision) judge(n *nodeInfo) (f *filter, reasons []string) {
	look := func() {
		if f = d.firstRefusing(n); f != nil {
			reasons = f.explain(d, n)
		}
	}
	look()
	if f == nil && len(n.nominated) > 0 {
		d.besideNominated(n, look)
	}
	return f, reasons
}

func (d *decision) firstRefusing(n *nodeInfo) *filter {
	for i := range filters {
		if !filters[i].check(d, n) {
			return &filters[i]
		}
	}
	return nil
}

// refuse says what every node lacks.
func (d *decision) refuse() *refusal {
	if len(d.cluster.nodes) == 0 {
		return &refusal{message: "no nodes available to schedule pods", wake: nodeChanged}
	}
	reasons := make(map[string]int)
	r := &refusal{wake: nodeChanged, crowded: d.cluster.scratch.crowded[:0]}
	for _, n := range d.cluster.nodes {
		f, why := d.judge(n)
		r.wake |= f.wake
		for _, reason := range why {
			reasons[reason]++
		}
		if f.inTheWay != nil && f.inTheWay(d, n) {
			r.crowded = append(r.crowded, n)
		}
	}
	d.cluster.scratch.crowded = r.crowded
	r.message = unavailable(len(d.cluster.nodes), reasons)
	return r
}

// score returns each node's total of the weighted scores.
func (d *decision) score(nodes []*nodeInfo) []int64 {
	s := &d.cluster.scratch
	s.totals, s.raw = resized(s.totals, len(nodes)), resized(s.raw, len(nodes))
	clear(s.totals)
	for i := range scores {
		if !d.scoreOne(&scores[i], nodes, s.raw) {
			continue
		}
		for j, r := range s.raw {
			s.totals[j] += r * scores[i].weight
		}
	}
	return s.totals
}

// scoreOne puts the nodes' scores into raw; false when this one makes no difference to the pod.
func (d *decision) scoreOne(s *score, nodes []*nodeInfo, raw []int64) bool {
	if s.wanted != nil && !s.wanted(d) {
		return false
	}
	for i, n := range nodes {
		raw[i] = s.raw(d, n)
	}
	spreadOut(raw, s.scale)
	return true
}

func resized(s []int64, n int) []int64 {
	if cap(s) < n {
		return make([]int64, n)
	}
	return s[:n]
}
