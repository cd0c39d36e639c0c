package scheduler

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// podTerm is an affinity term: which pods it is about, and how close together counts as the same place.
type podTerm struct {
	selector   labels.Selector
	namespaces []string
	spaces     labels.Selector // of namespaces, by their labels; nil: only those named
	key        string
	weight     int64  // of a preference; negative: away
	name       string // says all of the above but the weight
}

// podTerms are a pod's rules about other pods.
type podTerms struct {
	near, avoid, prefer []podTerm
}

func podAffinityTerms(pod *corev1.Pod) podTerms {
	var t podTerms
	a := pod.Spec.Affinity
	if a == nil {
		return t
	}
	if near := a.PodAffinity; near != nil {
		t.near = requiredTerms(pod, near.RequiredDuringSchedulingIgnoredDuringExecution)
		t.prefer = append(t.prefer, preferredTerms(pod, near.PreferredDuringSchedulingIgnoredDuringExecution, 1)...)
	}
	if avoid := a.PodAntiAffinity; avoid != nil {
		t.avoid = requiredTerms(pod, avoid.RequiredDuringSchedulingIgnoredDuringExecution)
		t.prefer = append(t.prefer, preferredTerms(pod, avoid.PreferredDuringSchedulingIgnoredDuringExecution, -1)...)
	}
	return t
}

func requiredTerms(pod *corev1.Pod, all []corev1.PodAffinityTerm) (terms []podTerm) {
	for i := range all {
		terms = append(terms, newPodTerm(pod, &all[i], 0))
	}
	return terms
}

func preferredTerms(pod *corev1.Pod, all []corev1.WeightedPodAffinityTerm, sign int64) (terms []podTerm) {
	for i := range all {
		terms = append(terms, newPodTerm(pod, &all[i].PodAffinityTerm, sign*int64(all[i].Weight)))
	}
	return terms
}

func newPodTerm(pod *corev1.Pod, t *corev1.PodAffinityTerm, weight int64) podTerm {
	term := podTerm{
		selector:   narrowed(t.LabelSelector, pod.Labels, t.MatchLabelKeys, t.MismatchLabelKeys),
		namespaces: slices.Clone(t.Namespaces),
		key:        t.TopologyKey,
		weight:     weight,
	}
	if t.NamespaceSelector != nil {
		term.spaces = narrowed(t.NamespaceSelector, nil, nil, nil)
	} else if len(t.Namespaces) == 0 {
		term.namespaces = []string{pod.Namespace}
	}
	slices.Sort(term.namespaces)
	spaces := "-"
	if term.spaces != nil {
		spaces = "=" + term.spaces.String()
	}
	// What it is about is written in characters that neither names nor label keys have in them.
	term.name = strings.Join([]string{term.key, strings.Join(term.namespaces, ","), spaces, selectorName(term.selector)}, ";")
	return term
}

// selectorName tells selectors apart, also that of all from that of none.
func selectorName(s labels.Selector) string {
	if _, selectable := s.Requirements(); !selectable {
		return "!"
	}
	return s.String()
}

// about tells whether the pods of a class are some that a term names.
func (t *podTerm) about(k *class, namespaceLabels func(string) map[string]string) bool {
	if _, named := slices.BinarySearch(t.namespaces, k.namespace); !named &&
		(t.spaces == nil || !t.spaces.Matches(labels.Set(namespaceLabels(k.namespace)))) {
		return false
	}
	return t.selector.Matches(k.labels)
}

func aboutAll(terms []podTerm, k *class, namespaceLabels func(string) map[string]string) bool {
	return !slices.ContainsFunc(terms, func(t podTerm) bool { return !t.about(k, namespaceLabels) })
}

// nearCount is where the pods are that a pod must have near: those that all its terms are about.
type nearCount struct {
	places []*tally // one a term
	first  bool     // there are none anywhere, and the pod is one of its own kind: it may be the first
}

// countPodAffinity finds the places that the pod's terms, and other pods' terms about it, speak of.
func (d *decision) countPodAffinity() {
	c, a := d.cluster, &d.pod.affinity
	d.near, d.avoid, d.shunned = nearCount{}, nil, nil
	if len(a.near) > 0 {
		d.countNear(a.near)
	}
	for i := range a.avoid {
		d.avoid = append(d.avoid, c.termTally(&a.avoid[i]))
	}
	for _, g := range c.groupsAbout(d.class) {
		if g.effect == avoids {
			d.shunned = append(d.shunned, g.domains)
		}
	}
}

func (d *decision) countNear(terms []podTerm) {
	c := d.cluster
	names := make([]string, len(terms))
	for i := range terms {
		names[i] = terms[i].name
	}
	all := strings.Join(names, "|")
	d.near.first = aboutAll(terms, d.class, c.namespaceLabels)
	for i := range terms {
		key := terms[i].key
		t := c.tally("near "+key+" "+all, func() *tally {
			return newTally(key, func(k *class) bool { return aboutAll(terms, k, c.namespaceLabels) }, nil, false)
		})
		d.near.places = append(d.near.places, t)
		d.near.first = d.near.first && t.total == 0
	}
}

// termTally counts the pods that one term is about.
func (c *cluster) termTally(t *podTerm) *tally {
	return c.tally("term "+t.name, func() *tally {
		return newTally(t.key, func(k *class) bool { return t.about(k, c.namespaceLabels) }, nil, false)
	})
}

// namespacesChanged forgets what was counted by the labels of namespaces.
func (c *cluster) namespacesChanged() {
	c.keepTallies(func(t *tally) bool { return t.living })
	c.generation++
}

// Which of the rules between pods refuses a node, in kube-scheduler's words.
const (
	missesOthers  = "node(s) didn't match pod affinity rules"
	avoidsOthers  = "node(s) didn't match pod anti-affinity rules"
	othersAvoidIt = "node(s) didn't satisfy existing pods anti-affinity rules"
)

// podAffinityRefusal returns which of the three rules refuses a node; empty: none.
func podAffinityRefusal(d *decision, n *nodeInfo) string {
	for _, t := range d.near.places {
		if !t.knows(n) || !d.near.first && t.around(n) == 0 {
			return missesOthers
		}
	}
	for _, t := range d.avoid {
		if t.around(n) > 0 {
			return avoidsOthers
		}
	}
	for _, t := range d.shunned {
		if t.around(n) > 0 {
			return othersAvoidIt
		}
	}
	return ""
}

func checkPodAffinity(d *decision, n *nodeInfo) bool {
	return len(d.near.places)+len(d.avoid)+len(d.shunned) == 0 || podAffinityRefusal(d, n) == ""
}

func explainPodAffinity(d *decision, n *nodeInfo) []string { return []string{podAffinityRefusal(d, n)} }

func missesNobody(d *decision, n *nodeInfo) bool { return podAffinityRefusal(d, n) != missesOthers }

// pull is what a term makes of the places where its pods are.
type pull struct {
	places *tally
	weight int64
}

// countPulls finds what the pod's own preferences, and those of others about it, make of places.
func (d *decision) countPulls([]*nodeInfo) bool {
	c, a, p := d.cluster, &d.pod.affinity, d.profile
	d.pulls = d.pulls[:0]
	if p.ignoreOthersWishes && len(a.prefer) == 0 {
		return false
	}
	for i := range a.prefer {
		d.pulls = append(d.pulls, pull{c.termTally(&a.prefer[i]), a.prefer[i].weight})
	}
	for _, g := range c.groupsAbout(d.class) {
		switch {
		case g.effect == prefers:
			d.pulls = append(d.pulls, pull{g.domains, g.term.weight})
		case g.effect == draws && p.hardAffinityWeight > 0:
			d.pulls = append(d.pulls, pull{g.domains, p.hardAffinityWeight})
		}
	}
	d.pulls = slices.DeleteFunc(d.pulls, func(p pull) bool { return p.places.total == 0 })
	return len(d.pulls) > 0
}

func scorePodAffinity(d *decision, n *nodeInfo) int64 {
	var sum int64
	for _, p := range d.pulls {
		sum += p.weight * p.places.around(n)
	}
	return sum
}
