package simulated

import (
	"hash/fnv"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Range is a time between two bounds.
type Range struct{ Least, Most time.Duration }

func (r Range) pick(from *rand.Rand) time.Duration {
	if r.Most <= r.Least {
		return r.Least
	}
	return r.Least + time.Duration(from.Int64N(int64(r.Most-r.Least)))
}

// Life says how long the parts of a pod's life take, and what goes wrong in it. The zero Life is the quickest: pods run
// as soon as they are seen, for good, and end at once.
type Life struct {
	Start   Range   // until the containers run
	Ready   Range   // from then on until they are ready
	Run     Range   // how long the containers of pods run that are not always to be restarted; zero: for good
	Stop    Range   // how long containers take to end, within the pod's grace period
	Crash   float64 // the part of the pods, 0 to 1, whose containers crash once
	Crashed Range   // from running to crashing
	Back    Range   // from crashing to running again
}

// course is the life of one pod.
type course struct {
	start, ready, run, stop time.Duration
	crash, back             time.Duration // no crash: 0
}

// of returns the course of a pod's life, the same for the same name whenever it is asked for.
func (l Life) of(seed uint64, pod *corev1.Pod) course {
	name := fnv.New64a()
	_, _ = name.Write([]byte(pod.Namespace + "/" + pod.Name))
	from := rand.New(rand.NewPCG(seed, name.Sum64()))
	c := course{start: l.Start.pick(from), ready: l.Ready.pick(from), stop: l.Stop.pick(from)}
	crashes, after, back, run := from.Float64() < l.Crash, l.Crashed.pick(from), l.Back.pick(from), l.Run.pick(from)
	if crashes {
		c.crash, c.back = max(after, time.Nanosecond), back
	}
	if pod.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		c.run = run
	}
	return c
}
