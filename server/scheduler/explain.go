package scheduler

// verdict is what the filters and scores say about one node for one pod.
type verdict struct {
	node string
	// refusals are what every filter that refuses the node says; empty: the pod can run there.
	refusals []filterRefusal
	// scores are given for nodes that no filter refuses, 0 to 100 each; total is their sum by weight.
	scores []nodeScore
	total  int64
}

// filterRefusal is a filter's reasons, in the words of the pod's event.
type filterRefusal struct {
	filter  string
	reasons []string
}

type nodeScore struct {
	name          string
	value, weight int64
}

// explain tells of every node whether a pod could run there and how well: the scheduler's own decision, over all nodes
// rather than a part of them.
func (c *cluster) explain(pr *profile, p *podInfo) []verdict {
	d := newDecision(c, pr, p)
	verdicts := make([]verdict, len(c.nodes))
	var feasible []*nodeInfo
	var at []*verdict
	for i, n := range c.nodes {
		verdicts[i] = verdict{node: n.name, refusals: d.refusals(n)}
		if len(verdicts[i].refusals) == 0 {
			feasible, at = append(feasible, n), append(at, &verdicts[i])
		}
	}
	raw := make([]int64, len(feasible))
	for _, s := range pr.scores {
		if !d.scoreOne(s.score, feasible, raw) {
			continue
		}
		for j, v := range at {
			v.scores = append(v.scores, nodeScore{s.name, raw[j], s.weight})
			v.total += raw[j] * s.weight
		}
	}
	return verdicts
}

// refusals are those of all filters, not of the first alone; with who is nominated for the node on it, if it is only then
// that it is refused.
func (d *decision) refusals(n *nodeInfo) (all []filterRefusal) {
	look := func() {
		for _, f := range d.profile.filters {
			if !f.check(d, n) {
				all = append(all, filterRefusal{f.name, f.explain(d, n)})
			}
		}
	}
	look()
	if len(all) == 0 && len(n.nominated) > 0 {
		d.besideNominated(n, look)
	}
	return all
}
