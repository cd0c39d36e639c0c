package eviction

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcehelper "k8s.io/component-helpers/resource"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
)

// rank orders pods by who has to go first when the node is short of something: who takes more of it than it asked for
// before who does not, then by priority, then by how much more it takes. Of whom nothing is known goes before all.
// For processes nobody can ask: there it is priority, then their number.
func rank(pods []*corev1.Pod, short Signal, imagesApart bool, known usages) []*corev1.Pod {
	sorted := slices.Clone(pods)
	slices.SortStableFunc(sorted, func(a, b *corev1.Pod) int {
		ua, okA := known(a)
		ub, okB := known(b)
		priority := cmp.Compare(corev1helpers.PodPriority(a), corev1helpers.PodPriority(b))
		if short.Resource() == pids {
			return cmp.Or(priority, unknownFirst(okA, okB), cmp.Compare(ub.Processes, ua.Processes))
		}
		takesA, takesB := ua.takes(short, imagesApart), ub.takes(short, imagesApart)
		overA, overB := takesA > asks(a, short.Resource()), takesB > asks(b, short.Resource())
		if !okA || !okB {
			overA, overB = !okA, !okB
		}
		measure := short.Resource()
		if measure == inodes { // nobody asks for these: what is asked for of the disk stands in
			measure = corev1.ResourceEphemeralStorage
		}
		return cmp.Or(trueFirst(overA, overB), priority, unknownFirst(okA, okB),
			cmp.Compare(takesB-asks(b, measure), takesA-asks(a, measure)))
	})
	return sorted
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func unknownFirst(a, b bool) int { return trueFirst(!a, !b) }

// takes is what a pod takes of what there is too little of.
func (u Usage) takes(short Signal, imagesApart bool) int64 {
	which := everything
	if imagesApart {
		onImages := short == ImageFsAvailable || short == ImageFsInodesFree
		which = parts{containers: onImages, volumes: !onImages}
	}
	switch short.Resource() {
	case corev1.ResourceMemory:
		return u.memory()
	case inodes:
		return u.disk(which).Inodes
	}
	return u.disk(which).Bytes
}

// asks is what a pod asks for of something.
func asks(pod *corev1.Pod, name corev1.ResourceName) int64 {
	q := resourcehelper.PodRequests(pod, resourcehelper.PodResourcesOptions{})[name]
	return q.Value()
}
