package scheduler

import (
	corev1 "k8s.io/api/core/v1"
)

// Verdict is what the filters and scores say about one node for one pod.
type Verdict struct {
	Node string
	// Refusals are what every filter that refuses the node says; empty: the pod can run there.
	Refusals []Refusal
	// Scores are given for nodes that no filter refuses.
	Scores []Score
	// Total is the sum of the scores by their weights: the node with the highest gets the pod.
	Total int64
}

// Refusal is a filter's reasons, in the words of the pod's event.
type Refusal struct {
	Filter  string
	Reasons []string
}

// Score is one preference's opinion, 0 to 100, and how often it counts.
type Score struct {
	Name          string
	Value, Weight int64
}

// Explain tells of every node, by name, whether a pod could run there and how well, given the pods that are
// bound to nodes already, and its claims. It is the scheduler's own decision, over all nodes rather than a part of them.
func Explain(nodes []*corev1.Node, bound []*corev1.Pod, namespaceLabels func(string) map[string]string, storage Storage, pod *corev1.Pod) []Verdict {
	c := newCluster(namespaceLabels)
	c.storage = storage
	for _, n := range nodes {
		c.setNode(n)
	}
	for _, p := range bound {
		if p.Spec.NodeName != "" && !finished(p) && p.UID != pod.UID {
			c.place(newPodInfo(p), p.Spec.NodeName)
		}
	}
	return c.explain(newPodInfo(pod))
}

func (c *cluster) explain(p *podInfo) []Verdict {
	d := newDecision(c, p)
	verdicts := make([]Verdict, len(c.nodes))
	var feasible []*nodeInfo
	var at []*Verdict
	for i, n := range c.nodes {
		verdicts[i] = Verdict{Node: n.name, Refusals: d.refusals(n)}
		if len(verdicts[i].Refusals) == 0 {
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
			v.Scores = append(v.Scores, Score{s.name, raw[j], s.weight})
			v.Total += raw[j] * s.weight
		}
	}
	return verdicts
}

func (d *decision) refusals(n *nodeInfo) []Refusal {
	var all []Refusal
	if r := unserved(d.pod, len(d.cluster.nodes)); r != nil {
		all = append(all, Refusal{"Unserved", []string{r.message}})
	}
	if problem := d.volumes.problem; problem != "" {
		all = append(all, Refusal{"VolumeBinding", []string{problem}})
	}
	for i := range filters {
		if !filters[i].check(d, n) {
			all = append(all, Refusal{filters[i].name, filters[i].explain(d, n)})
		}
	}
	return all
}
