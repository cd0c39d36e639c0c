package eviction

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// state is what the manager remembers from one look at the machine to the next.
type state struct {
	first map[Threshold]time.Time                // when each was found to be undercut, since it is
	last  map[corev1.NodeConditionType]time.Time // when the machine was last found to be so
	met   []Threshold                            // those that pods were to be ended for
}

// decision is what one look at the machine means.
type decision struct {
	Conditions []corev1.NodeConditionType // that hold of the node
	Due        []Threshold                // to do something about now, the most urgent first
}

// next decides what observations mean. A threshold that was acted on is crossed until what is to be reclaimed beyond it is
// free; a condition holds until the transition period has passed without it, so that it does not come and go.
func (s state) next(thresholds []Threshold, seen Observations, transition time.Duration, now time.Time) (state, decision) {
	short := crossed(thresholds, seen, false)
	for _, t := range crossed(s.met, seen, true) {
		if !slices.Contains(short, t) {
			short = append(short, t)
		}
	}
	after := state{first: map[Threshold]time.Time{}, last: maps.Clone(s.last)}
	if after.last == nil {
		after.last = map[corev1.NodeConditionType]time.Time{}
	}
	var d decision
	for _, t := range short {
		since, known := s.first[t]
		if !known {
			since = now
		}
		after.first[t] = since
		after.last[t.Signal.Condition()] = now
		if now.Sub(since) >= t.Grace {
			d.Due = append(d.Due, t)
		}
	}
	sortThresholds(d.Due)
	after.met = d.Due
	for condition, at := range after.last {
		if at.Equal(now) || now.Sub(at) < transition {
			d.Conditions = append(d.Conditions, condition)
		}
	}
	slices.Sort(d.Conditions)
	return after, d
}
