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
func (c *cluster) explain(p *podInfo) []verdict {
	d := newDecision(c, p)
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
	for i := range scores {
		s := &scores[i]
		if !d.scoreOne(s, feasible, raw) {
			continue
		}
		for j, v := range at {
			v.scores = append(v.scores, nodeScore{s.name, raw[j], s.weight})
			v.total += raw[j] * s.weight
		}
	}
	return verdicts
}

func (d *decision) refusals(n *nodeInfo) []filterRefusal {
	var all []filterRefusal
	for i := range filters {
		if !filters[i].check(d, n) {
			all = append(all, filterRefusal{filters[i].name, filters[i].explain(d, n)})
		}
	}
	return all
}
