package docker

import (
	"strings"
	"sync/atomic"
)

// oomScores learns from the sandboxes, which are always made with a negative score first, whether the host lets the
// engine make processes less likely to be killed than itself. Without CAP_SYS_RESOURCE a container with a negative
// score cannot start; then it is left out.
type oomScores struct{ knowledge atomic.Int32 }

const (
	scoresUnknown int32 = iota
	scoresGranted
	scoresRefused
)

// allowed is the score to ask for instead of score.
func (o *oomScores) allowed(score int) int {
	if score < 0 && o.knowledge.Load() == scoresRefused {
		return 0
	}
	return score
}

// sandboxHas notes the score that a running sandbox ended up with.
func (o *oomScores) sandboxHas(score int) {
	if score < 0 {
		o.knowledge.Store(scoresGranted)
	} else {
		o.knowledge.Store(scoresRefused)
	}
}

func (o *oomScores) unknown() bool { return o.knowledge.Load() == scoresUnknown }

// blamesOOMScore says whether a failed start may come from a refused score: runc before 1.2 does not name the reason.
func blamesOOMScore(err error) bool {
	for _, words := range []string{"oom_score_adj", "can't get final child's PID"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}
