package simulated

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// pod is one that is bound to a node, as its agent knows it.
type pod struct {
	object *corev1.Pod // as the API has it
	course course
	since  time.Time // it is here
	ending time.Time // it was told to end; zero: it was not
	ip     string
}

// stage is how far a pod has got.
type stage struct {
	phase    corev1.PodPhase
	state    corev1.ContainerState
	last     corev1.ContainerState
	restarts int32
	ready    bool
	next     time.Duration // until it changes by itself; 0: it does not
}

// at is the stage of a pod at a time.
func (p *pod) at(now time.Time) stage {
	c, age := p.course, now.Sub(p.since)
	if !p.ending.IsZero() {
		if left := p.stopTime() - now.Sub(p.ending); left <= 0 {
			return p.ended(137, "Error", now)
		} else if s := p.living(c, age); s.phase != corev1.PodSucceeded {
			s.next = left
			return s
		}
	}
	return p.living(c, age)
}

// stopTime is how long the pod's containers take to end.
func (p *pod) stopTime() time.Duration {
	grace := time.Duration(ptr.Deref(p.object.DeletionGracePeriodSeconds, 0)) * time.Second
	return min(p.course.stop, grace)
}

// living is the stage of a pod that nobody has told to end.
func (p *pod) living(c course, age time.Duration) stage {
	age -= c.start
	switch {
	case age < 0:
		return stage{phase: corev1.PodPending, state: waiting("ContainerCreating"), next: -age}
	case c.run > 0 && age >= c.run:
		return p.ended(0, "Completed", p.since.Add(c.start+c.run))
	case c.crash == 0 || age < c.crash:
		return p.running(c, age, c.start)
	}
	crashed := p.since.Add(c.start + c.crash)
	last := corev1.ContainerState{Terminated: p.termination(1, "Error", crashed)}
	if back := c.back - (age - c.crash); back > 0 {
		return stage{phase: corev1.PodRunning, state: waiting("CrashLoopBackOff"), last: last, restarts: 1, next: back}
	}
	again := c.start + c.crash + c.back
	s := p.running(course{ready: c.ready, run: max(0, c.run-c.crash-c.back)}, age-c.crash-c.back, again)
	s.last, s.restarts = last, 1
	return s
}

// running is the stage of containers that were started some time after the pod came, which was age ago.
func (p *pod) running(c course, age, started time.Duration) stage {
	begun := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: seconds(p.since.Add(started))}}
	s := stage{phase: corev1.PodRunning, state: begun, ready: age >= c.ready}
	s.next = soonest(c.ready-age, c.crash-age, c.run-age)
	return s
}

// soonest is the least of those that are still to come; 0: none is.
func soonest(all ...time.Duration) time.Duration {
	var least time.Duration
	for _, d := range all {
		if d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

func (p *pod) ended(code int32, reason string, at time.Time) stage {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	return stage{phase: phase, state: corev1.ContainerState{Terminated: p.termination(code, reason, at)}}
}

func (p *pod) termination(code int32, reason string, at time.Time) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: seconds(p.since.Add(p.course.start)), FinishedAt: seconds(at)}
}

func waiting(reason string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
}

func finished(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}
