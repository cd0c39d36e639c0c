package scheduler

import (
	corev1 "k8s.io/api/core/v1"
)

const maxScore = 100

// score is a preference. raw gives each node a number; where that is of any size, it is brought to 0…100 by the
// largest of the nodes that are compared.
type score struct {
	name   string
	weight int64
	wanted func(d *decision) bool // nil: always; else only when it can make a difference
	raw    func(d *decision, n *nodeInfo) int64
	scale  scale
}

// scale is how raw numbers become scores.
type scale uint8

const (
	asIs    scale = iota // raw is 0…100 already
	highest              // the highest raw number gets 100
	lowest               // the lowest raw number gets 100
)

// scores is the table of preferences.
var scores = []score{
	{"LeastAllocated", 1, nil, scoreLeast, asIs},
	{"BalancedAllocation", 1, nil, scoreBalanced, asIs},
	{"TaintToleration", 3, nil, scoreTaints, lowest},
	{"NodeAffinity", 2, func(d *decision) bool { return d.pod.preferred != nil }, scoreAffinity, highest},
	{"SelectorSpread", 2, func(d *decision) bool { return d.pod.owner != "" }, scoreOwner, lowest},
	{"PodTopologySpread", 2, func(d *decision) bool { return len(d.softSpread) > 0 }, scoreSpread, lowest},
	{"InterPodAffinity", 2, func(d *decision) bool { return len(d.pull) > 0 }, scorePodAffinity, highest},
	{"ImageLocality", 1, nil, scoreImages, asIs},
}

func scoreLeast(d *decision, n *nodeInfo) int64 {
	cpu := freeShare(n.assumed.milliCPU+d.pod.assumed.milliCPU, n.allocatable.milliCPU)
	memory := freeShare(n.assumed.memory+d.pod.assumed.memory, n.allocatable.memory)
	return (cpu + memory) / 2
}

// freeShare is how much of a resource stays free, of 100.
func freeShare(used, all int64) int64 {
	if all <= 0 || used >= all {
		return 0
	}
	return (all - used) * maxScore / all
}

// scoreBalanced prefers nodes on which CPU and memory are used to the same part, so that neither is left over.
func scoreBalanced(d *decision, n *nodeInfo) int64 {
	cpu := maxScore - freeShare(n.requested.milliCPU+d.pod.requests.milliCPU, n.allocatable.milliCPU)
	memory := maxScore - freeShare(n.requested.memory+d.pod.requests.memory, n.allocatable.memory)
	return maxScore - max(cpu-memory, memory-cpu)/2
}

// scoreTaints counts the taints that ask to be avoided.
func scoreTaints(d *decision, n *nodeInfo) int64 {
	var count int64
	for i := range n.node.Spec.Taints {
		t := &n.node.Spec.Taints[i]
		if t.Effect == corev1.TaintEffectPreferNoSchedule && !tolerates(d.pod.pod, t) {
			count++
		}
	}
	return count
}

func scoreAffinity(d *decision, n *nodeInfo) int64 { return d.pod.preferred.Score(n.node) }

// scoreOwner counts the pods of the same controller, which are to be spread.
func scoreOwner(d *decision, n *nodeInfo) int64 { return n.owners[d.pod.owner] }

// An image counts from the size on from which pulling it takes time, up to where more makes no difference;
// and by the part of the nodes that have it, so that one node does not draw everything to itself.
const (
	smallImage = 23 << 20
	largeImage = 1000 << 20
)

func scoreImages(d *decision, n *nodeInfo) int64 {
	if len(n.images) == 0 {
		return 0
	}
	containers := d.pod.pod.Spec.Containers
	var sum int64
	for i := range containers {
		name := imageName(containers[i].Image)
		if size, ok := n.images[name]; ok {
			sum += size * d.cluster.imageNodes[name] / int64(len(d.cluster.nodes))
		}
	}
	large := int64(largeImage * len(containers))
	sum = min(max(sum, smallImage), large)
	return (sum - smallImage) * maxScore / (large - smallImage)
}

// spreadOut turns raw numbers into scores, in place.
func spreadOut(raw []int64, s scale) {
	if s == asIs || len(raw) == 0 {
		return
	}
	var least, most int64
	for _, r := range raw {
		least, most = min(least, r), max(most, r)
	}
	for i, r := range raw {
		switch {
		case most == least:
			raw[i] = maxScore
		case s == highest:
			raw[i] = (r - least) * maxScore / (most - least)
		default:
			raw[i] = (most - r) * maxScore / (most - least)
		}
	}
}
