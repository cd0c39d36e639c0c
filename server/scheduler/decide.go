package scheduler

import (
	"fmt"
	"slices"
)

// decision is one pod over one cluster, by one profile, with what its rules about other pods need counted beforehand.
type decision struct {
	cluster *cluster
	profile *profile
	pod     *podInfo
	class   *class
	hard    []spreadCount // constraints that are conditions
	near    nearCount
	avoid   []*tally // of the pods that this one must not have near
	shunned []*tally // of those that must not have this one near
	volumes podVolumes

	// For scores alone, counted once there are nodes to compare.
	soft     []spreadCount // constraints that are wishes
	softKeys []string      // labels that nodes must have for them
	pulls    []pull
}

// newDecision counts. For a pod without rules about others, among pods without such, there is nothing to count.
func newDecision(c *cluster, pr *profile, p *podInfo) *decision {
	d := &c.scratch.decision
	c.decisions++
	*d = decision{cluster: c, profile: pr, pod: p, class: c.classOf(p), hard: d.hard, soft: d.soft, pulls: d.pulls}
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
	filters []*filter   // that refuse it; none: it is not for a node that it is refused
}

// decide returns the best node for a pod, or why there is none. It changes nothing but where the next search
// begins. Of equals the first found is taken, so that the same history gives the same placement.
func (c *cluster) decide(pr *profile, p *podInfo) (*nodeInfo, *refusal) {
	d := newDecision(c, pr, p)
	if r := d.hopeless(); r != nil {
		return nil, r
	}
	if n := c.nominatedNode(p.uid); n != nil && d.names(n) && d.refusedBy(n) == nil {
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

// hopeless refuses a pod that no node can take, whatever it is like.
func (d *decision) hopeless() *refusal {
	var reason string
	wake := podItself
	switch claims := d.pod.pod.Spec.ResourceClaims; {
	case len(d.cluster.nodes) == 0:
		return &refusal{message: "no nodes available to schedule pods", wake: nodeChanged}
	case d.pod.conflict:
		reason = "pod affinity terms conflict"
	case len(claims) > 0:
		reason = fmt.Sprintf("resource claim %q: no driver serves resource claims", claims[0].Name)
	case d.volumes.problem != "":
		reason, wake = d.volumes.problem, storageChanged
	default:
		return nil
	}
	return &refusal{message: fmt.Sprintf("0/%d nodes are available: %s.", len(d.cluster.nodes), reason), wake: wake}
}

// names tells whether a node is one that the pod's affinity names, if it names any.
func (d *decision) names(n *nodeInfo) bool {
	return d.pod.nodes == nil || slices.Contains(d.pod.nodes, n.name)
}

// search collects nodes that fit, from where the last search ended, until there is enough choice.
func (c *cluster) search(d *decision) []*nodeInfo {
	if d.pod.nodes != nil {
		return c.searchNamed(d)
	}
	feasible, enough := c.scratch.feasible[:0], d.profile.enoughNodes(len(c.nodes))
	visited := 0
	for ; visited < len(c.nodes) && len(feasible) < enough; visited++ {
		n := c.nodes[(c.start+visited)%len(c.nodes)]
		if d.refusedBy(n) == nil {
			feasible = append(feasible, n)
		}
	}
	c.start = (c.start + visited) % len(c.nodes)
	c.scratch.feasible = feasible
	return feasible
}

// searchNamed looks at the nodes alone that a pod names.
func (c *cluster) searchNamed(d *decision) []*nodeInfo {
	feasible := c.scratch.feasible[:0]
	for _, name := range d.pod.nodes {
		if n := c.byName[name]; n != nil && n.node != nil && d.refusedBy(n) == nil {
			feasible = append(feasible, n)
		}
	}
	c.scratch.feasible = feasible
	return feasible
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
	if !d.names(n) {
		return &notNamed, notNamed.explain(d, n)
	}
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
	for _, f := range d.profile.filters {
		if !f.check(d, n) {
			return f
		}
	}
	return nil
}

// refuse says what every node lacks.
func (d *decision) refuse() *refusal {
	reasons := make(map[string]int)
	r := &refusal{crowded: d.cluster.scratch.crowded[:0]}
	for _, n := range d.cluster.nodes {
		f, why := d.judge(n)
		if !slices.Contains(r.filters, f) {
			r.filters = append(r.filters, f)
			r.wake |= f.wake
		}
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
	for _, one := range d.profile.scores {
		if !d.scoreOne(one.score, nodes, s.raw) {
			continue
		}
		for j, r := range s.raw {
			s.totals[j] += r * one.weight
		}
	}
	return s.totals
}

// scoreOne puts the nodes' scores into raw; false when this one makes no difference to the pod.
func (d *decision) scoreOne(s *score, nodes []*nodeInfo, raw []int64) bool {
	if len(nodes) == 0 || s.wanted != nil && !s.wanted(d, nodes) {
		return false
	}
	for i, n := range nodes {
		raw[i] = s.raw(d, n)
	}
	if s.scale != nil {
		s.scale(d, nodes, raw)
	}
	return true
}

func resized(s []int64, n int) []int64 {
	if cap(s) < n {
		return make([]int64, n)
	}
	return s[:n]
}
