package scheduler

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// namedNodes are the only nodes that a pod's affinity can be satisfied by, as every term of it names some; nil: others can
// do too. conflict tells that no node is all that the terms name.
func namedNodes(pod *corev1.Pod) (names []string, conflict bool) {
	a := pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil, false
	}
	for i := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		of, named := namesOf(&a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[i])
		if !named {
			return nil, false
		}
		names = append(names, of...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names, len(names) == 0
}

// namesOf are the nodes that satisfy all that a term says of names.
func namesOf(term *corev1.NodeSelectorTerm) (names []string, named bool) {
	for _, r := range term.MatchFields {
		if r.Key != metav1.ObjectNameField || r.Operator != corev1.NodeSelectorOpIn {
			continue
		}
		if !named {
			names, named = slices.Clone(r.Values), true
			continue
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(r.Values, name) })
	}
	return names, named
}

// requiredName tells apart what pods ask of their nodes.
func (p *podInfo) requiredName() string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(p.pod.Spec.NodeSelector)) {
		b.WriteString(key + "=" + p.pod.Spec.NodeSelector[key] + ",")
	}
	if a := p.pod.Spec.Affinity; a != nil && a.NodeAffinity != nil {
		b.WriteString(a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.String())
	}
	return b.String()
}

// tolerationsName tells apart what taints pods tolerate.
func (p *podInfo) tolerationsName() string {
	var b strings.Builder
	for i := range p.pod.Spec.Tolerations {
		b.WriteString(p.pod.Spec.Tolerations[i].String())
	}
	return b.String()
}

// matches ignores terms that cannot be parsed, as kube-scheduler does.
func matches(required *nodeaffinity.RequiredNodeAffinity, node *corev1.Node) bool {
	ok, _ := required.Match(node)
	return ok
}
