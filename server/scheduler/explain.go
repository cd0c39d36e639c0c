package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// Explanation is what every filter and score says about every node for one pod, as JSON over the wire.
type Explanation struct {
	Namespace     string `json:"namespace,omitempty"`
	Pod           string `json:"pod"`
	SchedulerName string `json:"schedulerName"`
	// NodeName is where the pod is already; the pod itself counts nowhere in what follows.
	NodeName string `json:"nodeName,omitempty"`
	// Message is why the pod is not scheduled, as its event says it, or why nobody tries.
	Message string            `json:"message,omitempty"`
	Nodes   []NodeExplanation `json:"nodes"`
}

// NodeExplanation is one node: what refuses the pod, or what it is worth.
type NodeExplanation struct {
	Name     string        `json:"name"`
	Refusals []Refusal     `json:"refusals,omitempty"`
	Scores   []PluginScore `json:"scores,omitempty"`
	Total    int64         `json:"total"`
	Best     bool          `json:"best,omitempty"` // no other has more
}

// Refusal is what a filter says of a node, in the words of the pod's event.
type Refusal struct {
	Plugin  string   `json:"plugin"`
	Reasons []string `json:"reasons"`
}

// PluginScore is what a score gives a node, 0 to 100, and how much that counts.
type PluginScore struct {
	Plugin string `json:"plugin"`
	Score  int64  `json:"score"`
	Weight int64  `json:"weight"`
}

// Explain decides about a pod, which may be there or not, with what the API holds now. It looks at every node, where
// scheduling in a large cluster stops when it has enough that fit.
func Explain(api *resource.API, c *Config, pod *corev1.Pod) *Explanation {
	if c == nil {
		c = defaultConfig()
	}
	e := &Explanation{Namespace: pod.Namespace, Pod: pod.Name, SchedulerName: pod.Spec.SchedulerName, NodeName: pod.Spec.NodeName, Nodes: []NodeExplanation{}}
	i := slices.IndexFunc(c.profiles, func(p *profile) bool { return p.name == pod.Spec.SchedulerName })
	if i < 0 {
		e.Message = fmt.Sprintf("no scheduler here is named %q: the pod stays pending until one of its own places it; there is %s", pod.Spec.SchedulerName, c.names())
		return e
	}
	info := newPodInfo(unplaced(pod))
	cluster := observed(api, pod)
	e.Nodes = cluster.explain(c.profiles[i], info)
	if gates := pod.Spec.SchedulingGates; len(gates) > 0 {
		e.Message = "Scheduling is blocked due to non-empty scheduling gates"
	} else if _, refused := cluster.decide(c.profiles[i], info); refused != nil {
		e.Message = refused.message
	}
	return e
}

func (c *Config) names() string {
	var all []string
	for _, p := range c.profiles {
		all = append(all, p.name)
	}
	return strings.Join(all, ", ")
}

// unplaced is a pod as it was before it had a node.
func unplaced(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	pod.Spec.NodeName, pod.DeletionTimestamp = "", nil
	return pod
}

// observed is the cluster as the API has it, without one pod.
func observed(api *resource.API, without *corev1.Pod) *cluster {
	namespaces := resource.For[*corev1.Namespace](api, kind.Namespace, user)
	c := newCluster(func(name string) map[string]string {
		if ns, ok := namespaces.Get("", name); ok {
			return ns.Labels
		}
		return nil
	})
	c.storage, c.workloads = newVolumeStore(api), newWorkloadStore(api)
	for _, n := range resource.For[*corev1.Node](api, kind.Node, user).List("", nil) {
		c.setNode(n)
	}
	for _, p := range resource.For[*corev1.Pod](api, kind.Pod, user).List("", nil) {
		switch {
		case p.Namespace == without.Namespace && p.Name == without.Name || finished(p):
		case p.Spec.NodeName != "":
			c.place(newPodInfo(p), p.Spec.NodeName)
		case p.Status.NominatedNodeName != "":
			c.nominate(newPodInfo(p), p.Status.NominatedNodeName)
		}
	}
	return c
}

// explain tells of every node whether a pod could run there and how well: the scheduler's own decision, over all nodes
// rather than a part of them.
func (c *cluster) explain(pr *profile, p *podInfo) []NodeExplanation {
	d := newDecision(c, pr, p)
	all := make([]NodeExplanation, len(c.nodes))
	var feasible []*nodeInfo
	var at []*NodeExplanation
	for i, n := range c.nodes {
		all[i] = NodeExplanation{Name: n.name, Refusals: d.refusals(n)}
		if len(all[i].Refusals) == 0 {
			feasible, at = append(feasible, n), append(at, &all[i])
		}
	}
	raw := make([]int64, len(feasible))
	for _, s := range pr.scores {
		if !d.scoreOne(s.score, feasible, raw) {
			continue
		}
		for j, e := range at {
			e.Scores = append(e.Scores, PluginScore{s.name, raw[j], s.weight})
			e.Total += raw[j] * s.weight
		}
	}
	if len(at) > 0 {
		best := slices.MaxFunc(at, func(a, b *NodeExplanation) int { return cmp.Compare(a.Total, b.Total) }).Total
		for _, e := range at {
			e.Best = e.Total == best
		}
	}
	return all
}

// refusals are those of all filters, not of the first alone; with who is nominated for the node on it, if it is only then
// that it is refused.
func (d *decision) refusals(n *nodeInfo) (all []Refusal) {
	if !d.names(n) {
		return []Refusal{{notNamed.name, notNamed.explain(d, n)}}
	}
	look := func() {
		for _, f := range d.profile.filters {
			if !f.check(d, n) {
				all = append(all, Refusal{f.name, f.explain(d, n)})
			}
		}
	}
	look()
	if len(all) == 0 && len(n.nominated) > 0 {
		d.besideNominated(n, look)
	}
	return all
}
