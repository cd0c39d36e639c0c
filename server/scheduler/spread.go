package scheduler

import (
	"fmt"
	"slices"
	"strings"

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

// spreadTerms are a pod's own constraints.
func spreadTerms(pod *corev1.Pod) []spreadTerm {
	var terms []spreadTerm
	for i := range pod.Spec.TopologySpreadConstraints {
		t := &pod.Spec.TopologySpreadConstraints[i]
		terms = append(terms, newSpreadTerm(t, pod, narrowed(t.LabelSelector, pod.Labels, t.MatchLabelKeys, nil)))
	}
	return terms
}

func newSpreadTerm(t *corev1.TopologySpreadConstraint, pod *corev1.Pod, selector labels.Selector) spreadTerm {
	term := spreadTerm{
		key:         t.TopologyKey,
		maxSkew:     int64(t.MaxSkew),
		minDomains:  int64(ptr.Deref(t.MinDomains, 1)),
		selector:    selector,
		hard:        t.WhenUnsatisfiable == corev1.DoNotSchedule,
		anyAffinity: ptr.Deref(t.NodeAffinityPolicy, corev1.NodeInclusionPolicyHonor) == corev1.NodeInclusionPolicyIgnore,
		taints:      ptr.Deref(t.NodeTaintsPolicy, corev1.NodeInclusionPolicyIgnore) == corev1.NodeInclusionPolicyHonor,
	}
	if selector.Matches(labels.Set(pod.Labels)) {
		term.self = 1
	}
	return term
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
	*tally
	minimum int64   // of the domain with the fewest, for the filter
	weight  float64 // of the topology, for the score
}

// skewed tells that the pod would make too many in a node's domain.
func (c *spreadCount) skewed(n *nodeInfo) bool {
	return c.around(n)+c.self-c.minimum > c.maxSkew
}

// countSpread counts for each constraint that is a condition.
func (d *decision) countSpread() {
	d.hard = d.hard[:0]
	if terms := d.spread(true); len(terms) > 0 {
		keys := spreadKeys(terms)
		for i := range terms {
			count := spreadCount{spreadTerm: &terms[i], tally: d.spreadTally(&terms[i], keys)}
			if int64(count.counted) >= terms[i].minDomains {
				count.minimum = count.least()
			}
			d.hard = append(d.hard, count)
		}
	}
}

// spread are the pod's constraints that are conditions, or those that are wishes; the profile's for a pod without any.
func (d *decision) spread(hard bool) (terms []spreadTerm) {
	all := d.pod.spread
	if len(all) == 0 && slices.ContainsFunc(d.profile.spread, func(t corev1.TopologySpreadConstraint) bool {
		return hard == (t.WhenUnsatisfiable == corev1.DoNotSchedule)
	}) {
		all = d.defaultSpread()
	}
	for i := range all {
		if all[i].hard == hard {
			terms = append(terms, all[i])
		}
	}
	return terms
}

func spreadKeys(terms []spreadTerm) []string {
	keys := make([]string, len(terms))
	for i := range terms {
		keys[i] = terms[i].key
	}
	return keys
}

// spreadTally counts the pods of a term, over the nodes that have the labels keys and that it is spread over.
func (d *decision) spreadTally(term *spreadTerm, keys []string) *tally {
	p := d.pod
	name := fmt.Sprintf("spread %s %s %s %q", p.pod.Namespace, term.key, strings.Join(keys, ","), selectorName(term.selector))
	honors := !term.anyAffinity && p.required != nil
	if honors {
		name += " affinity " + p.requiredName()
	}
	if term.taints {
		name += " tolerations " + p.tolerationsName()
	}
	return d.cluster.tally(name, func() *tally {
		return newTally(term.key, term.about(p.pod.Namespace), func(node *corev1.Node) bool {
			return hasAll(node, keys) && (!honors || matches(p.required, node)) && (!term.taints || untolerated(p.pod, node) == nil)
		}, true)
	})
}

// about tells whether the pods of a class count for a term. An empty selector counts none.
func (t *spreadTerm) about(namespace string) func(*class) bool {
	return func(k *class) bool {
		return k.namespace == namespace && !t.selector.Empty() && t.selector.Matches(k.labels)
	}
}

func hasAll(node *corev1.Node, labels []string) bool {
	for _, key := range labels {
		if _, ok := node.Labels[key]; !ok {
			return false
		}
	}
	return true
}

func checkSpread(d *decision, n *nodeInfo) bool {
	for i := range d.hard {
		c := &d.hard[i]
		if !c.knows(n) || c.skewed(n) {
			return false
		}
	}
	return true
}

// inDomains tells whether a node has the labels of the constraints up to the one that refuses it.
func inDomains(d *decision, n *nodeInfo) bool {
	for i := range d.hard {
		c := &d.hard[i]
		if !c.knows(n) {
			return false
		}
		if c.skewed(n) {
			return true
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
