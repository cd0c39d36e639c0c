package scheduler

import (
	"math"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/utils/ptr"
)

// spreadTerm is a topologySpreadConstraint, ready to count by.
type spreadTerm struct {
	key         string
	maxSkew     int64
	minDomains  int64
	selector    labels.Selector
	hard        bool
	anyAffinity bool // nodes count that the pod's affinity excludes
	taints      bool // only nodes count whose taints the pod tolerates
	self        int64
}

func spreadTerms(pod *corev1.Pod) []spreadTerm {
	var terms []spreadTerm
	for i := range pod.Spec.TopologySpreadConstraints {
		t := &pod.Spec.TopologySpreadConstraints[i]
		term := spreadTerm{
			key:         t.TopologyKey,
			maxSkew:     int64(t.MaxSkew),
			minDomains:  int64(ptr.Deref(t.MinDomains, 1)),
			selector:    narrowed(t.LabelSelector, pod.Labels, t.MatchLabelKeys, nil),
			hard:        t.WhenUnsatisfiable == corev1.DoNotSchedule,
			anyAffinity: ptr.Deref(t.NodeAffinityPolicy, corev1.NodeInclusionPolicyHonor) == corev1.NodeInclusionPolicyIgnore,
			taints:      ptr.Deref(t.NodeTaintsPolicy, corev1.NodeInclusionPolicyIgnore) == corev1.NodeInclusionPolicyHonor,
		}
		if term.selector.Matches(labels.Set(pod.Labels)) {
			term.self = 1
		}
		terms = append(terms, term)
	}
	return terms
}

// narrowed is a label selector that, of the given keys, wants the same values as the pod has, or others.
func narrowed(s *metav1.LabelSelector, own map[string]string, same, others []string) labels.Selector {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing() // the API admits no such selector
	}
	narrow := func(keys []string, op selection.Operator) {
		for _, key := range keys {
			if value, ok := own[key]; ok {
				if r, err := labels.NewRequirement(key, op, []string{value}); err == nil {
					selector = selector.Add(*r)
				}
			}
		}
	}
	narrow(same, selection.In)
	narrow(others, selection.NotIn)
	return selector
}

// spreadCount is how many matching pods there are in each domain of a term's key.
type spreadCount struct {
	*spreadTerm
	counts map[string]int64
	least  int64 // of the domain with the fewest
	all    int64
}

// countSpread counts for each term of the pod, over the nodes that it could use.
func (d *decision) countSpread() {
	for i := range d.pod.spread {
		term := &d.pod.spread[i]
		count := spreadCount{spreadTerm: term, counts: make(map[string]int64)}
		for _, n := range d.cluster.nodes {
			if value, ok := n.node.Labels[term.key]; ok && d.spreadsOver(term, n) {
				count.counts[value] += 0
			}
		}
		for _, at := range d.cluster.spaces[d.pod.pod.Namespace] {
			if at.info.uid == d.pod.uid || at.node.node == nil || at.info.pod.DeletionTimestamp != nil ||
				!term.selector.Matches(labels.Set(at.info.pod.Labels)) || !d.spreadsOver(term, at.node) {
				continue
			}
			if value, ok := at.node.node.Labels[term.key]; ok {
				count.counts[value]++
				count.all++
			}
		}
		count.least = leastOf(count.counts, term.minDomains)
		if term.hard {
			d.hardSpread = append(d.hardSpread, count)
		} else {
			d.softSpread = append(d.softSpread, count)
		}
	}
}

// spreadsOver tells whether a node is one of those that a term's pods are spread over.
func (d *decision) spreadsOver(term *spreadTerm, n *nodeInfo) bool {
	if term.hard {
		for i := range d.pod.spread {
			if t := &d.pod.spread[i]; t.hard {
				if _, ok := n.node.Labels[t.key]; !ok {
					return false
				}
			}
		}
	}
	return (term.anyAffinity || checkAffinity(d, n)) && (!term.taints || untolerated(d.pod.pod, n.node) == nil)
}

// leastOf is the smallest count; 0 where there are fewer domains than there must be.
func leastOf(counts map[string]int64, minDomains int64) int64 {
	if int64(len(counts)) < minDomains {
		return 0
	}
	least := int64(math.MaxInt64)
	for _, n := range counts {
		least = min(least, n)
	}
	return least
}

func checkSpread(d *decision, n *nodeInfo) bool {
	for i := range d.hardSpread {
		c := &d.hardSpread[i]
		value, ok := n.node.Labels[c.key]
		if !ok || c.counts[value]+c.self-c.least > c.maxSkew {
			return false
		}
	}
	return true
}

// inDomains tells whether a node has the label of every constraint.
func inDomains(d *decision, n *nodeInfo) bool {
	for i := range d.hardSpread {
		if _, ok := n.node.Labels[d.hardSpread[i].key]; !ok {
			return false
		}
	}
	return true
}

func explainSpread(d *decision, n *nodeInfo) []string {
	if !inDomains(d, n) {
		return []string{"node(s) didn't match pod topology spread constraints (missing required label)"}
	}
	return []string{"node(s) didn't match pod topology spread constraints"}
}

// scoreSpread counts the matching pods around a node; a node outside of every domain has as many as there are.
func scoreSpread(d *decision, n *nodeInfo) int64 {
	var sum int64
	for i := range d.softSpread {
		c := &d.softSpread[i]
		if value, ok := n.node.Labels[c.key]; ok {
			sum += c.counts[value]
		} else {
			sum += c.all + 1
		}
	}
	return sum
}
