package pod

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// finished says that the pod has run its course: nothing of it will be started again.
func (p *planner) finished() bool {
	if isTerminal(p.Pod.Status.Phase) || p.overdue() {
		return true
	}
	return p.initFailed() || p.allEnded()
}

func isTerminal(phase corev1.PodPhase) bool {
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// overdue says that spec.activeDeadlineSeconds have passed.
func (p *planner) overdue() bool {
	deadline, ok := p.deadline()
	if !ok {
		return false
	}
	if p.now.Before(deadline) {
		p.plan.wakeAt(deadline)
		return false
	}
	return true
}

// What is said of a pod that was active for too long.
const (
	deadlineExceeded = "DeadlineExceeded"
	deadlineMessage  = "Pod was active on the node longer than the specified deadline"
)

func (v *View) deadline() (time.Time, bool) {
	if v.Pod.Spec.ActiveDeadlineSeconds == nil || v.Pod.Status.StartTime == nil {
		return time.Time{}, false
	}
	begun := v.Begun.of(v.Pod.Status.StartTime.Time)
	return begun.Add(time.Duration(*v.Pod.Spec.ActiveDeadlineSeconds) * time.Second), true
}

// initFailed says that an init container ended badly and is not to run again.
func (p *planner) initFailed() bool {
	for i := range p.Pod.Spec.InitContainers {
		c := &p.Pod.Spec.InitContainers[i]
		code, ended := p.ended(p.group, c.Name)
		last, found := p.group.newest(c.Name)
		if s := p.reported(c.Name); !found && s != nil && s.State.Running != nil {
			continue // somebody removed it on its way: it runs again
		}
		if !isSidecar(c) && ended && code != 0 && !restarts(p.Pod, c, true, code) && !p.endedForAll(p.group, last) {
			return true
		}
	}
	return false
}

// allEnded says that every container has ended and none is to run again.
func (p *planner) allEnded() bool {
	for i := range p.Pod.Spec.Containers {
		c := &p.Pod.Spec.Containers[i]
		code, ended := p.ended(p.group, c.Name)
		if last, _ := p.group.newest(c.Name); !ended || p.Renewed[last.ID] || restarts(p.Pod, c, false, code) || p.endedForAll(p.group, last) {
			return false
		}
	}
	return len(p.Pod.Spec.Containers) > 0
}

// finish frees what a finished pod holds: its address, its volumes. Its last containers stay, for their logs, until the
// pod is deleted or the node needs the room.
func (p *planner) finish() {
	if p.stopAll() {
		return
	}
	for _, s := range p.group.sandboxes {
		p.remove(s)
	}
	if !p.Freed {
		p.do(Action{Verb: FreeVolumes})
	}
	if !p.Purge || !p.Reported {
		p.sweepDead()
		return
	}
	for _, c := range p.Containers {
		p.remove(c)
	}
}

// end takes a deleted pod down:
//
//  1. stop its containers, sidecars after the others
//  2. tell the API how they ended
//  3. remove the containers, then the sandbox and the volumes
//  4. delete the pod from the API, unless it is gone from there
func (p *planner) end() {
	if p.stopAll() {
		return
	}
	if !p.Gone && !p.Reported && len(p.Containers) > 0 {
		return
	}
	if len(p.Containers) > 0 {
		for _, c := range p.Containers {
			p.remove(c)
		}
		return
	}
	switch {
	case !p.Clean:
		p.do(Action{Verb: TearDown})
	case !p.Gone && !p.Deleted:
		p.do(Action{Verb: DeletePod})
	case p.Gone && len(p.Busy) == 0:
		p.plan.Done = true
	}
}

// stopAll cancels what would start something and kills what runs; it says whether there is anything left to wait for.
func (p *planner) stopAll() bool {
	wait := p.cancelStarts()
	main, sidecars := p.runningByRole()
	for _, c := range main {
		p.hasten(c, p.grace())
		p.kill(c, "Stopping container "+c.Name)
	}
	for i, c := range sidecars {
		p.hasten(c, p.graceLeft())
		switch {
		case len(main) == 0 && i == 0:
			p.do(Action{Verb: Kill, Container: c.Name, ID: c.ID, Grace: p.graceLeft(), Why: "Stopping container " + c.Name})
		case p.hooks(c):
			p.do(Action{Verb: PreStop, Container: c.Name, ID: c.ID, Grace: p.graceLeft()})
		}
	}
	return wait || len(main)+len(sidecars) > 0
}

// hooks says whether a sidecar's preStop hook is still to be run: it comes when the pod is to stop, the stop itself when
// it is the sidecar's turn.
func (p *planner) hooks(c Container) bool {
	spec := containerOf(p.Pod, c.Name)
	return spec != nil && spec.Lifecycle != nil && spec.Lifecycle.PreStop != nil && !p.Hooked[c.ID]
}

func (p *planner) cancelStarts() bool {
	any := false
	for key, o := range p.Busy {
		switch o.Verb {
		case Start, RunSandbox, PrepareVolumes, makeRoom:
			p.plan.Actions = append(p.plan.Actions, Action{Verb: Cancel, Container: key})
			any = true
		}
	}
	return any
}

// runningByRole lists sidecars last to first, as they are to be stopped.
func (p *planner) runningByRole() (main, sidecars []Container) {
	order := map[string]int{}
	for i := range p.Pod.Spec.InitContainers {
		if c := &p.Pod.Spec.InitContainers[i]; isSidecar(c) {
			order[c.Name] = i + 1
		}
	}
	for _, c := range p.group.running() {
		if order[c.Name] == 0 {
			main = append(main, c)
		} else {
			sidecars = append(sidecars, c)
		}
	}
	slices.SortFunc(sidecars, func(a, b Container) int { return order[b.Name] - order[a.Name] })
	return main, sidecars
}

// hasten cancels a stop that would take longer than the grace that is asked for by now.
func (p *planner) hasten(c Container, grace time.Duration) {
	o, busy := p.Busy[c.Name]
	if busy && (o.Verb == Kill || o.Verb == PreStop) && p.now.Add(grace+time.Second).Before(o.Until) {
		p.plan.Actions = append(p.plan.Actions, Action{Verb: Cancel, Container: c.Name})
	}
}

const (
	graceDefault = 30 * time.Second
	graceMin     = 2 * time.Second // as the kubelet grants in any case
)

// grace is how long a container of the pod may take to stop. A pod that the API let go of before it ended here was
// deleted by force: nobody waits for it any more.
func (p *planner) grace() time.Duration {
	if p.Gone {
		return graceMin
	}
	if p.End != nil && p.End.Grace > 0 {
		return min(p.End.Grace, p.ownGrace())
	}
	return p.ownGrace()
}

// ownGrace is what the pod asks for, or what it was deleted with.
func (p *planner) ownGrace() time.Duration {
	seconds := p.Pod.DeletionGracePeriodSeconds
	if seconds == nil {
		seconds = p.Pod.Spec.TerminationGracePeriodSeconds
	}
	if seconds == nil {
		return graceDefault
	}
	return max(time.Duration(*seconds)*time.Second, graceMin)
}

// graceLeft is what those who stop last have of the grace that all of the pod's containers have together.
func (p *planner) graceLeft() time.Duration {
	grace, end := p.grace(), time.Time{}
	if t := p.Pod.DeletionTimestamp; t != nil {
		end = t.Time
	} else if d, ok := p.deadline(); ok && !p.now.Before(d) {
		end = d.Add(grace)
	}
	if end.IsZero() {
		return grace
	}
	return min(grace, max(end.Sub(p.now), graceMin))
}
