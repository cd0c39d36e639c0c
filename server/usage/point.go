package usage

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// point is what a container or a node has used up to a time.
type point struct {
	at      int64  // in nanoseconds since the epoch
	started int64  // the same; 0 where that is not told
	cpu     uint64 // since it started, in nanoseconds of one processor
	memory  uint64 // the working set, in bytes
}

// pair is the last point and the one before. Without the latter (at is 0) there is nothing to tell yet.
type pair struct {
	last, before point
}

// youngest is how old a container must be for what it has used since its start to say how much it uses.
const youngest = 10 * time.Second

// next is the pair after a new point. Between two points the container must not have started again. One that is
// younger than the time between two questions is measured from its start on.
func (p pair) next(now point, resolution time.Duration) pair {
	out := pair{last: now}
	age := time.Duration(now.at - now.started)
	switch {
	case now.started > 0 && age >= youngest && age < resolution:
		out.before = point{at: now.started, started: now.started}
	case p.last.at == 0 || now.started >= p.last.at || now.cpu < p.last.cpu:
	case now.at > p.last.at:
		out.before = p.last
	case p.before.at < now.at:
		out.before = p.before // the agent has not measured again
	}
	return out
}

// known tells whether the pair says anything.
func (p pair) known() bool {
	return p.before.at > 0 && p.last.at > p.before.at && p.last.cpu >= p.before.cpu
}

// window is the time between the points.
func (p pair) window() time.Duration { return time.Duration(p.last.at - p.before.at) }

// most is as many processors as can be told of, in billionths: points that are too close give any number.
const most = 1 << 62

// usage is the processors used on average between the two points, and the memory at the last one.
func (p pair) usage() corev1.ResourceList {
	rate := min(float64(p.last.cpu-p.before.cpu)/p.window().Seconds(), most)
	memory := resource.NewQuantity(int64(p.last.memory), resource.BinarySI)
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewScaledQuantity(int64(rate), resource.Nano),
		corev1.ResourceMemory: *memory,
	}
}
