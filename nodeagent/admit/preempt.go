package admit

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	corev1 "k8s.io/api/core/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"

	"leme/nodeagent/pod"
)

// makeWay finds whom a critical pod takes the place of, when nothing but resources is missing.
func makeWay(p *corev1.Pod, refusals []refusal, others []*corev1.Pod) pod.Verdict {
	var need needs
	for _, r := range refusals {
		if r.resource == "" {
			return pod.Verdict{Reason: r.reason, Message: r.message}
		}
		need = append(need, r)
	}
	victims, ok := choose(p, others, need)
	if !ok {
		return pod.Verdict{Reason: "UnexpectedAdmissionError", Message: fmt.Sprintf("Unexpected error while attempting to recover from admission failure: "+
			"preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: %s", need)}
	}
	return pod.Verdict{Victims: victims, Short: need[0].resource}
}

// needs is what is missing of each resource.
type needs []refusal

func (n needs) String() string {
	s := "["
	for _, r := range n {
		s += fmt.Sprintf("(res: %v, q: %d), ", r.resource, r.missing)
	}
	return s + "]"
}

// choose takes as few as possible, of the best guaranteed class as few as possible before all: first who of the
// guaranteed would have to go if all others had, then of the burstable, then of those that asked for nothing.
func choose(p *corev1.Pod, others []*corev1.Pod, need needs) ([]*corev1.Pod, bool) {
	class := map[corev1.PodQOSClass][]*corev1.Pod{}
	var all []*corev1.Pod
	for _, o := range others {
		if yields(o, p) {
			class[pod.QOS(o)] = append(class[pod.QOS(o)], o)
			all = append(all, o)
		}
	}
	if len(need.without(all...)) > 0 {
		return nil, false
	}
	bestEffort, burstable := class[corev1.PodQOSBestEffort], class[corev1.PodQOSBurstable]
	guaranteed := nearest(class[corev1.PodQOSGuaranteed], need.without(slices.Concat(bestEffort, burstable)...))
	burstable = nearest(burstable, need.without(slices.Concat(bestEffort, guaranteed)...))
	bestEffort = nearest(bestEffort, need.without(slices.Concat(burstable, guaranteed)...))
	return slices.Concat(bestEffort, burstable, guaranteed), true
}

// yields says whether a pod has to go for another.
func yields(o, to *corev1.Pod) bool {
	if pod.Critical(to) && !pod.Critical(o) {
		return true
	}
	return to.Spec.Priority != nil && o.Spec.Priority != nil && corev1helpers.PodPriority(to) > corev1helpers.PodPriority(o)
}

// nearest takes pods one by one, each time the one that leaves least of the need, of equals the one that asks for less.
func nearest(pods []*corev1.Pod, need needs) []*corev1.Pod {
	left := slices.Clone(pods)
	var taken []*corev1.Pod
	for len(need) > 0 && len(left) > 0 {
		best := slices.MinFunc(left, func(a, b *corev1.Pod) int {
			return cmp.Or(cmp.Compare(need.distance(a), need.distance(b)),
				cmp.Compare(asks(a, corev1.ResourceMemory), asks(b, corev1.ResourceMemory)),
				cmp.Compare(asks(a, corev1.ResourceCPU), asks(b, corev1.ResourceCPU)))
		})
		need, taken = need.without(best), append(taken, best)
		left = slices.DeleteFunc(left, func(o *corev1.Pod) bool { return o == best })
	}
	return taken
}

// without is what is still missing once these are gone.
func (n needs) without(pods ...*corev1.Pod) needs {
	var left needs
	for _, r := range n {
		for _, p := range pods {
			r.missing -= asks(p, r.resource)
		}
		if r.missing > 0 {
			left = append(left, r)
		}
	}
	return left
}

// distance is how much of the need a pod leaves, each resource weighed alike.
func (n needs) distance(p *corev1.Pod) float64 {
	var sum float64
	for _, r := range n {
		if left := float64(r.missing - asks(p, r.resource)); left > 0 {
			sum += math.Pow(left/float64(r.missing), 2)
		}
	}
	return sum
}

// asks is what goes free with a pod.
func asks(p *corev1.Pod, name corev1.ResourceName) int64 {
	if name == corev1.ResourcePods {
		return 1
	}
	return units(name, requests(p))
}
