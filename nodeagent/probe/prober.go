package probe

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Kind is which of a container's probes it is, in the words of events.
type Kind string

const (
	Startup   Kind = "Startup"
	Liveness  Kind = "Liveness"
	Readiness Kind = "Readiness"
)

// Result is what is known after the thresholds.
type Result string

const (
	Unknown Result = ""
	Success Result = "success"
	Failure Result = "failure"
)

// Prober runs one probe of one container.
type Prober struct {
	Kind    Kind
	Spec    *corev1.Probe
	Target  Target
	Subject Subject         // in the metrics
	Started time.Time       // of the container: the initial delay counts from here
	After   <-chan struct{} // closed when the probe may begin (startup has succeeded); nil: at once
	Report  func(Result)    // called on every change, and for each failing streak of liveness once
	Failed  func(output string, err error)
}

// Run probes until the context ends, or until there is nothing left to learn: startup has succeeded, or the
// container is to be killed.
func (p *Prober) Run(ctx context.Context) {
	if !p.begin(ctx) {
		return
	}
	// What has settled keeps its counts while the container runs, as the kubelet's does.
	defer func() { context.AfterFunc(ctx, p.forget) }()
	period := seconds(p.Spec.PeriodSeconds, 10)
	tick := time.NewTicker(period)
	defer tick.Stop()
	first := eager{period: period}
	var count tally
	for early := false; ; {
		if p.take(&count, p.ask(ctx, early), early) {
			return
		}
		wanted := p.Kind != Liveness && count.result != Success
		select {
		case <-ctx.Done():
			return
		case <-first.next(wanted):
			early = true
		case <-tick.C:
			early, first.over = false, true
		}
	}
}

// verdict is one probe's outcome: none when it could not be asked.
type verdict struct{ ok, none bool }

// take counts a verdict and reports what it changes; an early probe only counts when it succeeded. It says whether
// there is nothing left to learn.
func (p *Prober) take(count *tally, v verdict, early bool) (settled bool) {
	if v.none || early && !v.ok {
		return false
	}
	result, changed := count.add(v.ok, p.Spec)
	if changed {
		p.Report(result)
	}
	return p.settled(result)
}

// begin waits for the startup probe's success and the initial delay.
func (p *Prober) begin(ctx context.Context) bool {
	if p.After != nil {
		select {
		case <-ctx.Done():
			return false
		case <-p.After:
		}
	}
	delay := time.NewTimer(p.initialDelay(time.Now()))
	defer delay.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-delay.C:
		return true
	}
}

// initialDelay is what is left of it. That the clock was set back since the container started makes it no longer.
func (p *Prober) initialDelay(now time.Time) time.Duration {
	whole := time.Duration(p.Spec.InitialDelaySeconds) * time.Second
	return min(p.Started.Add(whole).Sub(now), whole)
}

// ask probes once. That an early probe failed is told to nobody.
func (p *Prober) ask(ctx context.Context, early bool) verdict {
	limited, cancel := context.WithTimeout(ctx, seconds(p.Spec.TimeoutSeconds, 1))
	defer cancel()
	start := time.Now()
	ok, output, err := Check(limited, &p.Spec.ProbeHandler, p.Target)
	if ctx.Err() != nil {
		return verdict{none: true}
	}
	p.count(ok, err, time.Since(start))
	if !early && (err != nil || !ok) {
		p.Failed(output, err)
	}
	return verdict{ok: ok, none: err != nil}
}

func (p *Prober) settled(r Result) bool {
	switch p.Kind {
	case Startup:
		return r != Unknown
	case Liveness:
		return r == Failure
	}
	return false
}

// eager is the clock of early probes: in its first period a container that is not ready yet is asked more often, ever
// more slowly, so that it need not wait a whole period because it took a moment to start. Only success counts there.
type eager struct {
	period, wait time.Duration
	over         bool
}

const eagerFirst = 100 * time.Millisecond

// next is when to probe early; never when that is not wanted, or the period is short anyway.
func (e *eager) next(wanted bool) <-chan time.Time {
	if !wanted || e.over || e.period <= time.Second {
		return nil
	}
	e.wait = max(2*e.wait, eagerFirst)
	return time.After(e.wait)
}

// tally counts equal verdicts in a row.
type tally struct {
	ok     bool
	run    int32
	result Result
}

func (t *tally) add(ok bool, spec *corev1.Probe) (result Result, changed bool) {
	if ok != t.ok {
		t.run = 0
	}
	t.ok = ok
	t.run++
	before := t.result
	switch {
	case ok && t.run >= max(spec.SuccessThreshold, 1):
		t.result = Success
	case !ok && t.run >= orDefault(spec.FailureThreshold, 3):
		t.result = Failure
	}
	return t.result, t.result != before
}

func seconds(n, otherwise int32) time.Duration {
	return time.Duration(orDefault(n, otherwise)) * time.Second
}

func orDefault(n, otherwise int32) int32 {
	if n < 1 {
		return otherwise
	}
	return n
}
