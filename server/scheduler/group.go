package scheduler

// A pod's terms about others hold for those that come later too. The placed pods with the same term are a group: what
// they say is looked at once, and counted by the domains that they are in.

// effect is what a group's term does to a pod that it is about.
type effect uint8

const (
	avoids  effect = iota // its pods must not have it near
	draws                 // its pods must have such near: one more is welcome
	prefers               // its pods would like it near, or, of negative weight, far
)

// group is the placed pods with one term.
type group struct {
	term    *podTerm
	effect  effect
	pods    int64
	domains *tally
}

// terms calls fn for each of a pod's terms that have an effect on others.
func (t *podTerms) each(fn func(effect, *podTerm)) {
	for i := range t.avoid {
		fn(avoids, &t.avoid[i])
	}
	for i := range t.near {
		fn(draws, &t.near[i])
	}
	for i := range t.prefer {
		fn(prefers, &t.prefer[i])
	}
}

// groupKey tells groups apart.
type groupKey struct {
	effect effect
	weight int64
	name   string
}

// shiftGroups adds times of a placed pod to the groups of its terms.
func (c *cluster) shiftGroups(p *podInfo, n *nodeInfo, times int64) {
	p.affinity.each(func(e effect, t *podTerm) {
		key := groupKey{e, t.weight, t.name}
		g := c.groups[key]
		if g == nil {
			g = &group{term: t, effect: e, domains: newTally(t.key, nil, nil, false)}
			g.domains.joinAll(c)
			c.groups[key] = g
			c.generation++
		}
		g.pods += times
		g.domains.add(n, times)
		if g.pods == 0 {
			delete(c.groups, key)
			c.generation++
		}
	})
}

// groupsAbout returns the groups whose terms are about a class.
func (c *cluster) groupsAbout(k *class) []*group {
	if len(c.groups) == 0 {
		return nil
	}
	if k.generation == c.generation {
		return k.groups
	}
	k.groups, k.generation = nil, c.generation
	for _, g := range c.groups {
		if g.term.about(k, c.namespaceLabels) {
			k.groups = append(k.groups, g)
		}
	}
	return k.groups
}
