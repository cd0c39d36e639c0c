package scheduler

import (
	corev1 "k8s.io/api/core/v1"
)

const maxScore = 100

// score is a preference, by its name in kube-scheduler. raw gives each node that is compared a number, and scale, where
// that is of any size, brings them to 0…100.
type score struct {
	name   string
	weight int64                                       // unless the profile has another
	wanted func(d *decision, nodes []*nodeInfo) bool   // nil: always; else it counts, and tells whether nodes can differ
	raw    func(d *decision, n *nodeInfo) int64        // pure and quick: it is asked for many nodes
	scale  func(d *decision, n []*nodeInfo, r []int64) // nil: raw is 0…100 already
}

// scores is the table of preferences.
var scores = []score{
	{"TaintToleration", 3, nil, scoreTaints, lowestBest},
	{"NodeAffinity", 2, wantsNodes, scoreAffinity, highestBest},
	{"NodeResourcesFit", 1, nil, scoreFit, nil},
	{"PodTopologySpread", 2, (*decision).countWishes, scoreSpread, scaleSpread},
	{"InterPodAffinity", 2, (*decision).countPulls, scorePodAffinity, stretched},
	{"NodeResourcesBalancedAllocation", 1, asksForBalanced, scoreBalanced, nil},
	{"ImageLocality", 1, nil, scoreImages, nil},
}

// scoreTaints counts the taints that ask to be avoided.
func scoreTaints(d *decision, n *nodeInfo) int64 {
	var count int64
	for i := range n.node.Spec.Taints {
		t := &n.node.Spec.Taints[i]
		if t.Effect == corev1.TaintEffectPreferNoSchedule && !toleratesWish(d.pod.pod, t) {
			count++
		}
	}
	return count
}

// toleratesWish looks only at tolerations that can be about such a taint, as a matter of taste.
func toleratesWish(pod *corev1.Pod, taint *corev1.Taint) bool {
	for i := range pod.Spec.Tolerations {
		t := &pod.Spec.Tolerations[i]
		if (t.Effect == "" || t.Effect == corev1.TaintEffectPreferNoSchedule) && toleration(t, taint) {
			return true
		}
	}
	return false
}

func wantsNodes(d *decision, _ []*nodeInfo) bool {
	return d.pod.preferred != nil || d.profile.addedPreferred != nil
}

func scoreAffinity(d *decision, n *nodeInfo) int64 {
	var sum int64
	if d.profile.addedPreferred != nil {
		sum += d.profile.addedPreferred.Score(n.node)
	}
	if d.pod.preferred != nil {
		sum += d.pod.preferred.Score(n.node)
	}
	return sum
}

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
	var sum int64
	for _, name := range d.pod.images {
		if size, ok := n.images[name]; ok {
			part := float64(d.cluster.imageNodes[name]) / float64(len(d.cluster.nodes))
			sum += int64(float64(size) * part)
		}
	}
	large := int64(largeImage * len(d.pod.images))
	sum = min(max(sum, smallImage), large)
	return maxScore * (sum - smallImage) / (large - smallImage)
}

// highestBest brings numbers of 0 and more to a scale on which the highest has 100.
func highestBest(_ *decision, _ []*nodeInfo, raw []int64) {
	if most := maxOf(raw); most > 0 {
		for i, r := range raw {
			raw[i] = maxScore * r / most
		}
	}
}

// lowestBest is the other way round: nothing has 100.
func lowestBest(_ *decision, _ []*nodeInfo, raw []int64) {
	most := maxOf(raw)
	for i, r := range raw {
		raw[i] = maxScore
		if most > 0 {
			raw[i] -= maxScore * r / most
		}
	}
}

// stretched has 0 for the lowest, and 100 for the highest.
func stretched(_ *decision, _ []*nodeInfo, raw []int64) {
	least, most := raw[0], raw[0]
	for _, r := range raw {
		least, most = min(least, r), max(most, r)
	}
	for i, r := range raw {
		raw[i] = 0
		if most > least {
			raw[i] = int64(maxScore * (float64(r-least) / float64(most-least)))
		}
	}
}

func maxOf(raw []int64) (most int64) {
	for _, r := range raw {
		most = max(most, r)
	}
	return most
}
