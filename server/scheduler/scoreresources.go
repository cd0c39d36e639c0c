package scheduler

import (
	"math"

	corev1 "k8s.io/api/core/v1"
)

// weighed is a resource that nodes are compared by.
type weighed struct {
	name   corev1.ResourceName
	weight int64
}

// cpuAndMemory are compared unless the profile says otherwise.
var cpuAndMemory = []weighed{{corev1.ResourceCPU, 1}, {corev1.ResourceMemory, 1}}

// use is how much of a resource a node would have taken, of how much. A resource that does not count here is not ok:
// one that there is none of, or an extended one that the pod does not ask for.
func (r *weighed) use(want, used, all *amounts) (before, after, of int64, ok bool) {
	before, of = used.of(r.name), all.of(r.name)
	asked := want.of(r.name)
	if of == 0 || asked == 0 && isScalar(r.name) {
		return 0, 0, 0, false
	}
	return before, before + asked, of, true
}

func isScalar(name corev1.ResourceName) bool {
	return name != corev1.ResourceCPU && name != corev1.ResourceMemory && name != corev1.ResourceEphemeralStorage
}

// scoreFit is how much is taken of the weighed resources, by the profile's strategy. Containers that ask for nothing count
// as something.
func scoreFit(d *decision, n *nodeInfo) int64 {
	fit := &d.profile.fit
	var sum, weights int64
	for i := range fit.resources {
		r := &fit.resources[i]
		_, after, of, ok := r.use(&d.pod.assumed, &n.assumed, &n.allocatable)
		if !ok {
			continue
		}
		s := fit.score(after, of)
		if fit.shape != nil && s <= 0 {
			continue // what a shape gives nothing for is left out
		}
		sum += s * r.weight
		weights += r.weight
	}
	switch {
	case weights == 0:
		return 0
	case fit.shape != nil:
		return int64(math.Round(float64(sum) / float64(weights)))
	}
	return sum / weights
}

// fitStrategy is how nodes are compared by what is taken there.
type fitStrategy struct {
	resources []weighed
	most      bool         // full nodes are better
	shape     []shapePoint // how good each utilization is; nil: the emptier or the fuller the better
}

// shapePoint says how good a utilization is, both of 100.
type shapePoint struct{ utilization, score int64 }

func (f *fitStrategy) score(taken, all int64) int64 {
	switch {
	case f.shape != nil && taken > all:
		return shaped(f.shape, maxScore)
	case f.shape != nil:
		return shaped(f.shape, taken*maxScore/all)
	case f.most:
		return min(taken, all) * maxScore / all
	case taken > all:
		return 0
	}
	return (all - taken) * maxScore / all
}

// shaped is the score of a utilization, on the lines between the points.
func shaped(shape []shapePoint, utilization int64) int64 {
	for i, p := range shape {
		switch {
		case utilization > p.utilization:
		case i == 0:
			return p.score
		default:
			before := shape[i-1]
			return before.score + (p.score-before.score)*(utilization-before.utilization)/(p.utilization-before.utilization)
		}
	}
	return shape[len(shape)-1].score
}

// asksForBalanced: a pod that asks for nothing changes no balance.
func asksForBalanced(d *decision, _ []*nodeInfo) bool {
	for _, r := range d.profile.balanced {
		if d.pod.requests.of(r.name) != 0 {
			return true
		}
	}
	return false
}

// scoreBalanced is whether the pod brings the resources of a node to the same part, so that none is left over: 75 where
// it makes no difference, more where it helps.
func scoreBalanced(d *decision, n *nodeInfo) int64 {
	return maxScore/2 + (maxScore/2+d.balance(n, 1)-d.balance(n, 0))/2
}

// balance is 100 less the standard deviation of the parts that are taken of a node's resources, with so many more of the pod.
func (d *decision) balance(n *nodeInfo, pods int64) int64 {
	var count, sum, first, last float64
	for i := range d.profile.balanced {
		if part, ok := d.part(n, pods, i); ok {
			if count++; count == 1 {
				first = part
			}
			sum, last = sum+part, part
		}
	}
	switch {
	case count < 2:
		return maxScore
	case count == 2:
		return int64((1 - math.Abs((first-last)/2)) * maxScore)
	}
	mean, squares := sum/count, 0.0
	for i := range d.profile.balanced {
		if part, ok := d.part(n, pods, i); ok {
			squares += (part - mean) * (part - mean)
		}
	}
	return int64((1 - math.Sqrt(squares/count)) * maxScore)
}

// part is how much of a resource is taken.
func (d *decision) part(n *nodeInfo, pods int64, i int) (part float64, ok bool) {
	before, after, of, ok := d.profile.balanced[i].use(&d.pod.requests, &n.requested, &n.allocatable)
	if !ok {
		return 0, false
	}
	return min(float64(before+pods*(after-before))/float64(of), 1), true
}
