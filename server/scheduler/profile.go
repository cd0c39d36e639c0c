package scheduler

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// profile is a scheduler by its name: which filters and scores it has, and how it looks at nodes.
type profile struct {
	name    string
	filters []*filter
	scores  []weightedScore
	preempt bool

	percentage int // of the nodes that are looked at until enough are found; 0: by their number
	fit        fitStrategy
	balanced   []weighed
	spread     []corev1.TopologySpreadConstraint // of pods that have none
	systemSpread,
	ignoreOthersWishes bool // pods without wishes about others are not placed by those of others
	hardAffinityWeight int64
	addedRequired      *nodeaffinity.NodeSelector
	addedPreferred     *nodeaffinity.PreferredSchedulingTerms

	ignored func(corev1.ResourceName) bool // extended resources that nodes need not have; nil: none

	candidatePercent, fewestCandidates int           // of nodes on which others may have to go
	volumePatience                     time.Duration // for volumes to be bound
}

type weightedScore struct {
	*score
	weight int64
}

// newProfile is what kube-scheduler has by default.
func newProfile(name string) *profile {
	p := &profile{
		name: name, preempt: true,
		fit: fitStrategy{resources: cpuAndMemory}, balanced: cpuAndMemory, spread: systemSpread, systemSpread: true,
		hardAffinityWeight: 1, candidatePercent: 10, fewestCandidates: 100, volumePatience: 10 * time.Minute,
	}
	for i := range filters {
		p.filters = append(p.filters, &filters[i])
	}
	for i := range scores {
		p.scores = append(p.scores, weightedScore{&scores[i], scores[i].weight})
	}
	return p
}

// enoughNodes is how many nodes that fit are compared: all of a small cluster, a falling part of a large one,
// 10% of 5,000, never fewer than 5%. As kube-scheduler does.
func (p *profile) enoughNodes(all int) int {
	const few, leastPercent = 100, 5
	percent := p.percentage
	if percent == 0 {
		percent = max(leastPercent, 50-all/125)
	}
	return min(all, max(few, all*percent/100))
}

// enoughCandidates is how many nodes are compared on which others would have to go.
func (p *profile) enoughCandidates(all int) int {
	return min(all, max(p.fewestCandidates, all*p.candidatePercent/100))
}
