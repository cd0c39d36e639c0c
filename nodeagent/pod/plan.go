package pod

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/probe"
)

// Plan decides what to do for a pod now. It changes nothing and asks nobody; planning again after acting gives the
// rest, until nothing is left to do.
func (v *View) Plan(now time.Time) Plan {
	p := &planner{View: v, group: groupOf(v.Containers), now: now, plan: Plan{Waiting: map[string]Waiting{}}}
	switch {
	case v.Gone || v.Pod.DeletionTimestamp != nil:
		p.end()
	case v.End != nil || p.finished():
		p.finish()
	case v.Busy[roomKey].Verb == makeRoom: // its end brings us back
	case v.Refused != "":
		p.waitAll(unsupportedReason, v.Refused)
	default:
		p.run()
	}
	return p.plan
}

type planner struct {
	*View
	group group
	now   time.Time
	plan  Plan
}

// do adds an action, unless its like is planned or under way, or has failed just now.
func (p *planner) do(a Action) {
	if slices.ContainsFunc(p.plan.Actions, func(planned Action) bool { return planned.key() == a.key() }) {
		return
	}
	if _, busy := p.Busy[a.key()]; busy {
		return
	}
	if f, failed := p.Failures[a.key()]; failed && p.now.Before(f.retry()) {
		p.plan.wakeAt(f.retry())
		return
	}
	p.plan.Actions = append(p.plan.Actions, a)
}

func (p *planner) kill(c Container, why string) {
	p.do(Action{Verb: Kill, Container: c.Name, ID: c.ID, Grace: p.grace(), Why: why})
}

func (p *planner) remove(c Container) { p.do(Action{Verb: Remove, ID: c.ID}) }

// run brings up what is missing:
//
//  1. volumes and the sandbox, side by side
//  2. the init containers, one after the other; sidecars stay
//  3. the containers, all at once
//
// Ephemeral containers start whenever there is a sandbox to start them in. What runs is given other amounts where that
// was asked for. What is old is taken away: containers of a sandbox that is lost, of another image, unhealthy ones.
func (p *planner) run() {
	if !p.Volumes || p.Stale {
		p.do(Action{Verb: PrepareVolumes})
	}
	held := p.holdPod()
	sandbox, up := p.group.sandbox()
	if !up {
		if held {
			p.replaceSandbox()
			p.prepare()
		}
		return
	}
	p.sweep(sandbox)
	if p.restartAll() {
		return
	}
	if !p.Volumes {
		return
	}
	p.startEphemeral(sandbox)
	if p.Pending.Reason == resizeDeferred {
		p.plan.wakeAt(p.now.Add(roomRetry))
	}
	if p.initialized(sandbox) {
		for i := range p.Pod.Spec.Containers {
			p.tend(sandbox, &p.Pod.Spec.Containers[i], false)
		}
	}
}

// prepare begins with the first containers while their first sandbox starts.
func (p *planner) prepare() {
	if !p.Making || !p.Volumes {
		return
	}
	first := p.Pod.Spec.Containers
	if inits := p.Pod.Spec.InitContainers; len(inits) > 0 {
		first = inits[:1]
	}
	for i := range first {
		_, busy := p.Busy[first[i].Name]
		if _, found := p.group.newest(first[i].Name); !found && !busy {
			p.start(&first[i], Action{Attempt: p.attempt(p.group, first[i].Name)})
		}
	}
}

const sandboxChanged = "Pod sandbox changed, it will be killed and re-created."

// replaceSandbox ends what ran in a lost sandbox, then runs a new one.
func (p *planner) replaceSandbox() {
	left := p.group.running()
	for _, c := range left {
		p.kill(c, sandboxChanged)
	}
	if len(left) > 0 {
		return
	}
	if len(p.group.sandboxes) == 0 {
		p.do(Action{Verb: RunSandbox})
		return
	}
	last := p.group.sandboxes[0]
	if last.Started.IsZero() { // it never ran, also where its start was tried
		p.do(Action{Verb: RunSandbox, Attempt: last.Attempt})
		return
	}
	if until := p.BackOff[sandboxKey].Until(last, p.endOf(last, p.now)); p.now.Before(until) {
		p.plan.wakeAt(until)
		return
	}
	p.do(Action{Verb: RunSandbox, Attempt: last.Attempt + 1})
}

// sweep removes sandboxes before this one, and all dead containers but the last of each name. Of each name only the
// newest attempt may run.
func (p *planner) sweep(sandbox Container) {
	for _, s := range p.group.sandboxes {
		if s.ID != sandbox.ID {
			p.remove(s)
		}
	}
	p.sweepOld()
	p.sweepDead()
}

// sweepOld ends what somebody started again though another attempt has taken its place.
func (p *planner) sweepOld() {
	for name, list := range p.group.byName {
		for _, c := range list[1:] {
			if c.Runs() {
				p.kill(c, fmt.Sprintf("Container %s is of an attempt before, will be stopped", name))
			}
		}
	}
}

func (p *planner) sweepDead() {
	for _, list := range p.group.byName {
		kept := false
		for _, c := range list {
			if c.State == Exited && kept {
				p.remove(c)
			}
			kept = kept || c.State == Exited
		}
	}
}

// initialized runs the init containers in order, and says whether all are done. Once a container of the pod has been
// made in this sandbox they count as done; sidecars are tended on.
func (p *planner) initialized(sandbox Container) bool {
	past := p.pastInit(sandbox)
	for i := range p.Pod.Spec.InitContainers {
		c := &p.Pod.Spec.InitContainers[i]
		have, found := p.group.newest(c.Name)
		switch {
		case isSidecar(c):
			p.tend(sandbox, c, true)
			up := found && in(sandbox, have) && p.started(c, have)
			if !past && !up {
				return false
			}
		case past || found && in(sandbox, have) && have.State == Exited && have.ExitCode == 0:
		default:
			p.tend(sandbox, c, true)
			return false
		}
	}
	return true
}

func (p *planner) pastInit(sandbox Container) bool {
	for i := range p.Pod.Spec.Containers {
		name := p.Pod.Spec.Containers[i].Name
		for _, c := range p.group.byName[name] {
			if in(sandbox, c) {
				return true
			}
		}
		if last, ran := p.remembered(p.group, name); ran && in(sandbox, last) {
			return true
		}
	}
	return false
}

// tend starts, restarts or ends one container, as it must be.
func (p *planner) tend(sandbox Container, c *corev1.Container, init bool) {
	have, found := p.group.newest(c.Name)
	_, busy := p.Busy[c.Name]
	switch {
	case busy:
	case !found:
		p.bringBack(sandbox, c, init)
	case have.Runs():
		if why, grace := p.unfit(sandbox, c, have); why != "" {
			renew := have.Hash != Hash(c) || p.resizesByRestart(c, have)
			p.do(Action{Verb: Kill, Container: have.Name, ID: have.ID, Grace: grace, Why: why, Renew: renew})
		} else {
			p.resize(c, have)
		}
	case have.State == Created && in(sandbox, have) && have.Hash == Hash(c):
		p.start(c, Action{ID: have.ID, Attempt: have.Attempt})
	case have.State == Created:
		p.remove(have)
	case have.State == Exited:
		p.restart(sandbox, c, have, init)
	}
}

// unfit says why a running container must be ended, and how long that may take; why is empty when it may go on.
func (p *planner) unfit(sandbox Container, c *corev1.Container, have Container) (why string, grace time.Duration) {
	health := p.health(have)
	switch {
	case !in(sandbox, have):
		return sandboxChanged, p.grace()
	case have.Hash != Hash(c):
		return fmt.Sprintf("Container %s definition changed, will be restarted", c.Name), p.grace()
	case p.resizesByRestart(c, have):
		return fmt.Sprintf("Container %s resize requires restart", c.Name), p.grace()
	case health.Liveness == probe.Failure:
		return fmt.Sprintf("Container %s failed liveness probe, will be restarted", c.Name), p.probeGrace(c.LivenessProbe)
	case health.Startup == probe.Failure:
		return fmt.Sprintf("Container %s failed startup probe, will be restarted", c.Name), p.probeGrace(c.StartupProbe)
	}
	return "", 0
}

// probeGrace is a probe's own terminationGracePeriodSeconds, else the pod's.
func (p *planner) probeGrace(spec *corev1.Probe) time.Duration {
	if spec == nil || spec.TerminationGracePeriodSeconds == nil {
		return p.grace()
	}
	return max(time.Duration(*spec.TerminationGracePeriodSeconds)*time.Second, graceMin)
}

// restart starts a container again after its end, once its back-off is over. In a new sandbox, or made of something else,
// it starts at once, as it did not end by itself; in a new sandbox init containers run again even when they have succeeded.
func (p *planner) restart(sandbox Container, c *corev1.Container, last Container, init bool) {
	fresh := !in(sandbox, last) || last.Hash != Hash(c) || p.Renewed[last.ID]
	again := fresh && init || p.Renewed[last.ID] || restarts(p.Pod, c, init, last.ExitCode)
	if !again {
		return
	}
	if p.Stale && p.Failures[volumesKey].At.IsZero() {
		return // somebody may have been at the volumes while it ran: they are looked at first
	}
	if until := p.BackOff[c.Name].Until(last, p.endOf(last, p.now)); p.now.Before(until) && !fresh {
		p.plan.wakeAt(until)
		p.plan.Waiting[c.Name] = Waiting{Reason: "CrashLoopBackOff", Message: fmt.Sprintf("back-off %s restarting failed container=%s pod=%s",
			p.BackOff[c.Name].Delay, c.Name, fullName(p.Pod))}

		return
	}
	p.start(c, Action{Attempt: last.Attempt + 1})
}

// start adds a start, or says what the last one failed of while it must not be tried again.
func (p *planner) start(c *corev1.Container, a Action) {
	a.Verb, a.Container = Start, c.Name
	if f, failed := p.Failures[c.Name]; failed {
		p.plan.Waiting[c.Name] = p.explain(c, f)
	}
	p.do(a)
}

// errorShown is how long a failed pull shows as an error before it shows as backing off.
const errorShown = 3 * time.Second

func (p *planner) explain(c *corev1.Container, f Failure) Waiting {
	if !pullFailed(f.Reason) {
		return Waiting{Reason: f.Reason, Message: f.Message}
	}
	if backingOff := f.At.Add(errorShown); p.now.Before(backingOff) {
		p.plan.wakeAt(backingOff)
		return Waiting{Reason: f.Reason, Message: f.Message}
	}
	message := fmt.Sprintf("Back-off pulling image %q: %s: %s", cmp.Or(f.Image, c.Image), f.Reason, f.Message)
	return Waiting{Reason: imagePullBackOff, Message: message, Image: f.Image}
}

func (p *planner) waitAll(reason, message string) {
	for _, c := range allContainers(p.Pod) {
		p.plan.Waiting[c.Name] = Waiting{Reason: reason, Message: message}
	}
}

// fullName is how the kubelet names a pod in messages.
func fullName(pod *corev1.Pod) string {
	return fmt.Sprintf("%s_%s(%s)", pod.Name, pod.Namespace, pod.UID)
}

// allContainers lists a pod's init containers, then its containers.
func allContainers(pod *corev1.Pod) []*corev1.Container {
	var all []*corev1.Container
	for i := range pod.Spec.InitContainers {
		all = append(all, &pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		all = append(all, &pod.Spec.Containers[i])
	}
	return all
}
