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
	tick := time.NewTicker(seconds(p.Spec.PeriodSeconds, 10))
	defer tick.Stop()
	var count tally
	for {
		if ok, verdict := p.ask(ctx); verdict {
			result, changed := count.add(ok, p.Spec)
			if changed {
				p.Report(result)
			}
			if p.settled(result) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
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
	delay := time.NewTimer(time.Until(p.Started.Add(time.Duration(p.Spec.InitialDelaySeconds) * time.Second)))
	defer delay.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-delay.C:
		return true
	}
}

func (p *Prober) ask(ctx context.Context) (ok, verdict bool) {
	limited, cancel := context.WithTimeout(ctx, seconds(p.Spec.TimeoutSeconds, 1))
	defer cancel()
	ok, output, err := Check(limited, &p.Spec.ProbeHandler, p.Target)
	if ctx.Err() != nil {
		return false, false
	}
	if err != nil || !ok {
		p.Failed(output, err)
	}
	return ok, err == nil
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
