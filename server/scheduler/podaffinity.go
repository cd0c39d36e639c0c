package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// podTerm is an affinity term: which pods it is about, and how close together counts as the same place.
type podTerm struct {
	selector   labels.Selector
	namespaces map[string]bool
	spaces     labels.Selector // of namespaces, by their labels; nil: only those named
	key        string
	weight     int64 // of a preference; negative: away
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
		for i := range near.RequiredDuringSchedulingIgnoredDuringExecution {
			t.near = append(t.near, newPodTerm(pod, &near.RequiredDuringSchedulingIgnoredDuringExecution[i], 0))
		}
		for i := range near.PreferredDuringSchedulingIgnoredDuringExecution {
			w := &near.PreferredDuringSchedulingIgnoredDuringExecution[i]
			t.prefer = append(t.prefer, newPodTerm(pod, &w.PodAffinityTerm, int64(w.Weight)))
		}
	}
	if avoid := a.PodAntiAffinity; avoid != nil {
		for i := range avoid.RequiredDuringSchedulingIgnoredDuringExecution {
			t.avoid = append(t.avoid, newPodTerm(pod, &avoid.RequiredDuringSchedulingIgnoredDuringExecution[i], 0))
		}
		for i := range avoid.PreferredDuringSchedulingIgnoredDuringExecution {
			w := &avoid.PreferredDuringSchedulingIgnoredDuringExecution[i]
			t.prefer = append(t.prefer, newPodTerm(pod, &w.PodAffinityTerm, -int64(w.Weight)))
		}
	}
	return t
}

func newPodTerm(pod *corev1.Pod, t *corev1.PodAffinityTerm, weight int64) podTerm {
	term := podTerm{
		selector:   narrowed(t.LabelSelector, pod.Labels, t.MatchLabelKeys, t.MismatchLabelKeys),
		namespaces: make(map[string]bool, len(t.Namespaces)),
		key:        t.TopologyKey,
		weight:     weight,
	}
	for _, ns := range t.Namespaces {
		term.namespaces[ns] = true
	}
	if t.NamespaceSelector != nil {
		term.spaces = narrowed(t.NamespaceSelector, nil, nil, nil)
	} else if len(t.Namespaces) == 0 {
		term.namespaces[pod.Namespace] = true
	}
	return term
}

// about tells whether a pod is one of those that a term names.
func (t *podTerm) about(pod *corev1.Pod, namespaceLabels func(string) map[string]string) bool {
	if !t.namespaces[pod.Namespace] && (t.spaces == nil || !t.spaces.Matches(labels.Set(namespaceLabels(pod.Namespace)))) {
		return false
	}
	return t.selector.Matches(labels.Set(pod.Labels))
}

func aboutAll(terms []podTerm, pod *corev1.Pod, namespaceLabels func(string) map[string]string) bool {
	for i := range terms {
		if !terms[i].about(pod, namespaceLabels) {
			return false
		}
	}
	return true
}

// weights are numbers of places, by a node label and its value: few labels, of maybe many values.
type weights map[string]map[string]int64

func (w *weights) add(key, value string, n int64) {
	if *w == nil {
		*w = make(weights)
	}
	if (*w)[key] == nil {
		(*w)[key] = make(map[string]int64)
	}
	(*w)[key][value] += n
}

// of sums up the places that a node is in.
func (w weights) of(n *nodeInfo) int64 {
	var sum int64
	for key, values := range w {
		if value, ok := n.node.Labels[key]; ok {
			sum += values[value]
		}
	}
	return sum
}

// domainSet is the values of one label.
type domainSet struct {
	key    string
	values map[string]bool
}

// nearCount is where the pods are that a pod wants to be near to.
type nearCount struct {
	places []domainSet // one a term
	first  bool        // there are none anywhere, and the pod is one of its own kind: it may be the first
}

// countPodAffinity finds the places that the pod's terms, and other pods' terms about it, speak of.
func (d *decision) countPodAffinity() {
	a := &d.pod.affinity
	if len(a.near)+len(a.avoid)+len(a.prefer) > 0 {
		d.countOwnTerms(a)
	}
	for _, at := range d.cluster.avoiders {
		if at.node.node == nil {
			continue
		}
		for i := range at.info.affinity.avoid {
			t := &at.info.affinity.avoid[i]
			if value, ok := at.node.node.Labels[t.key]; ok && t.about(d.pod.pod, d.cluster.namespaceLabels) {
				d.shunned.add(t.key, value, 1)
			}
		}
	}
}

func (d *decision) countOwnTerms(a *podTerms) {
	d.near.places, d.avoid, d.pull = newSets(a.near), newSets(a.avoid), nil
	found := false
	for _, at := range d.cluster.pods {
		if at.node.node == nil || at.info.uid == d.pod.uid {
			continue
		}
		if len(a.near) > 0 && aboutAll(a.near, at.info.pod, d.cluster.namespaceLabels) {
			found = true
			for i := range a.near {
				d.near.places[i].add(at.node)
			}
		}
		for i := range a.avoid {
			if a.avoid[i].about(at.info.pod, d.cluster.namespaceLabels) {
				d.avoid[i].add(at.node)
			}
		}
		for i := range a.prefer {
			t := &a.prefer[i]
			if value, ok := at.node.node.Labels[t.key]; ok && t.about(at.info.pod, d.cluster.namespaceLabels) {
				d.pull.add(t.key, value, t.weight)
			}
		}
	}
	d.near.first = !found && aboutAll(a.near, d.pod.pod, d.cluster.namespaceLabels)
}

func newSets(terms []podTerm) []domainSet {
	sets := make([]domainSet, len(terms))
	for i := range terms {
		sets[i] = domainSet{terms[i].key, make(map[string]bool)}
	}
	return sets
}

func (s *domainSet) add(n *nodeInfo) {
	if value, ok := n.node.Labels[s.key]; ok {
		s.values[value] = true
	}
}

// holds tells whether a node is in one of the places; known, whether it has the label at all.
func (s *domainSet) holds(n *nodeInfo) (in, known bool) {
	value, known := n.node.Labels[s.key]
	return known && s.values[value], known
}

// Which of the rules between pods refuses a node, in kube-scheduler's words.
const (
	missesOthers  = "node(s) didn't match pod affinity rules"
	avoidsOthers  = "node(s) didn't match pod anti-affinity rules"
	othersAvoidIt = "node(s) didn't satisfy existing pods anti-affinity rules"
)

// podAffinityRefusal returns which of the three rules refuses a node; empty: none.
func podAffinityRefusal(d *decision, n *nodeInfo) string {
	for i := range d.near.places {
		if in, known := d.near.places[i].holds(n); !known || !in && !d.near.first {
			return missesOthers
		}
	}
	for i := range d.avoid {
		if in, _ := d.avoid[i].holds(n); in {
			return avoidsOthers
		}
	}
	if len(d.shunned) > 0 && d.shunned.of(n) > 0 {
		return othersAvoidIt
	}
	return ""
}

func checkPodAffinity(d *decision, n *nodeInfo) bool { return podAffinityRefusal(d, n) == "" }

func explainPodAffinity(d *decision, n *nodeInfo) []string { return []string{podAffinityRefusal(d, n)} }

func missesNobody(d *decision, n *nodeInfo) bool { return podAffinityRefusal(d, n) != missesOthers }

func scorePodAffinity(d *decision, n *nodeInfo) int64 { return d.pull.of(n) }
