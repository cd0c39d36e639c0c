// Package admit decides whether a pod that is bound to a node fits there, by the kubelet's predicates, and who has to go
// for one that the cluster cannot do without.
//
//	verdict := admit.Fits(pod, node, others)
//
// The scheduler has asked the same before; but pods may be bound by others, a node may have changed since, and what the
// agent gives out it must have.
package admit

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	"leme/nodeagent/pod"
)

// refusal is one reason why a pod does not fit.
type refusal struct {
	reason, message string
	resource        corev1.ResourceName // that there is too little of; empty for other reasons
	missing         int64               // how much of it
}

// Fits checks everything that the kubelet does, in its order, and gives the first reason against the pod. A critical pod
// for which only resources are missing takes the place of others.
func Fits(p *corev1.Pod, node *corev1.Node, others []*corev1.Pod) pod.Verdict {
	if v := runsHere(p); v.Reason != "" {
		return v
	}
	refusals := lacks(p, node, others)
	for _, check := range []func(*corev1.Pod, *corev1.Node, []*corev1.Pod) (refusal, bool){affinity, name, ports, taints} {
		if r, against := check(p, node, others); against {
			refusals = append(refusals, r)
		}
	}
	if len(refusals) == 0 {
		return pod.Verdict{}
	}
	if pod.Critical(p) {
		return makeWay(p, refusals, others)
	}
	return pod.Verdict{Reason: refusals[0].reason, Message: refusals[0].message}
}

// runsHere checks what no other node's room would change.
func runsHere(p *corev1.Pod) pod.Verdict {
	if system, ok := p.Labels[corev1.LabelOSStable]; ok && system != string(corev1.Linux) {
		return pod.Verdict{Reason: "PodOSSelectorNodeLabelDoesNotMatch", Message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"}
	}
	return pod.Verdict{}
}

// lacks lists what there is too little of, the number of pods first.
func lacks(p *corev1.Pod, node *corev1.Node, others []*corev1.Pod) []refusal {
	var list []refusal
	if all := node.Status.Allocatable.Pods().Value(); int64(len(others))+1 > all {
		list = append(list, insufficient(corev1.ResourcePods, 1, int64(len(others)), all))
	}
	used := corev1.ResourceList{}
	for _, o := range others {
		for name, q := range requests(o) {
			sum := used[name]
			sum.Add(q)
			used[name] = sum
		}
	}
	wanted := requests(p)
	for _, name := range inOrder(wanted) {
		want, has, all := units(name, wanted), units(name, used), units(name, node.Status.Allocatable)
		_, known := node.Status.Allocatable[name]
		if want == 0 || extended(name) && !known { // the cluster's, not the node's
			continue
		}
		if want > all-has {
			list = append(list, insufficient(name, want, has, all))
		}
	}
	return list
}

func insufficient(name corev1.ResourceName, requested, used, capacity int64) refusal {
	return refusal{
		reason:   "OutOf" + string(name),
		message:  fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d", name, requested, used, capacity),
		resource: name, missing: requested - (capacity - used),
	}
}

// requests are what a pod asks for. One whose resize waits or is under way counts with what it has, if that is more.
func requests(p *corev1.Pod) corev1.ResourceList {
	return resourcehelper.PodRequests(p, resourcehelper.PodResourcesOptions{UseStatusResources: true})
}

// inOrder lists processors, memory and disk first, as they are told of.
func inOrder(list corev1.ResourceList) []corev1.ResourceName {
	first := []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}
	var rest []corev1.ResourceName
	for name := range list {
		if !slices.Contains(first, name) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return append(first, rest...)
}

// units is an amount as messages tell it: thousandths of a processor, else whole ones.
func units(name corev1.ResourceName, list corev1.ResourceList) int64 {
	q := list[name]
	if name == corev1.ResourceCPU {
		return q.MilliValue()
	}
	return q.Value()
}

func extended(name corev1.ResourceName) bool {
	domain, _, qualified := strings.Cut(string(name), "/")
	return qualified && domain != "kubernetes.io" && !strings.HasSuffix(domain, ".kubernetes.io")
}

func predicate(name, why string) refusal {
	return refusal{reason: name, message: fmt.Sprintf("Predicate %s failed: %s", name, why)}
}

func affinity(p *corev1.Pod, node *corev1.Node, _ []*corev1.Pod) (refusal, bool) {
	matches, err := nodeaffinity.GetRequiredNodeAffinity(p).Match(node)
	return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"), err != nil || !matches
}

func name(p *corev1.Pod, node *corev1.Node, _ []*corev1.Pod) (refusal, bool) {
	return predicate("NodeName", "node(s) didn't match the requested node name"), p.Spec.NodeName != "" && p.Spec.NodeName != node.Name
}

// taints: of those that keep pods away the scheduler decides; one that drives pods away holds here too, but not for pods
// that come from the node itself.
func taints(p *corev1.Pod, node *corev1.Node, _ []*corev1.Pod) (refusal, bool) {
	if source, ok := p.Annotations["kubernetes.io/config.source"]; ok && source != "api" {
		return refusal{}, false
	}
	untolerated := slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool {
		return taint.Effect == corev1.TaintEffectNoExecute &&
			!slices.ContainsFunc(p.Spec.Tolerations, func(t corev1.Toleration) bool { return pod.Tolerates(t, taint) })
	})
	return predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate"), untolerated
}
