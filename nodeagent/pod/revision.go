package pod

import (
	"math"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// revision is that of an object's state, or of a list: numbers that grow, as long as the API's state is not restored from
// a backup. 0 is none that can be compared.
type revision uint64

func parseRevision(s string) revision {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return revision(v)
}

func revisionOf(pod *corev1.Pod) revision { return parseRevision(pod.ResourceVersion) }

// older compares two states of one object.
func older(a, b *corev1.Pod) bool {
	va, vb := revisionOf(a), revisionOf(b)
	return va != 0 && vb != 0 && va < vb
}

// overrules says whether a state of a pod takes the place of the one that is known: a newer one does, and an older one on a
// list that has all that happened up to a version (0: no list) which the known one is of, or of before. The API's state has
// gone back then.
func overrules(state, known *corev1.Pod, list revision) bool {
	return !older(state, known) || revisionOf(known) <= list
}

// restored is the revision of a list when the API has gone back behind what it told before: it overrules everything.
const restored revision = math.MaxUint64
