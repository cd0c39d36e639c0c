package pod

import (
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
	deadline, ok := deadline(p.Pod)
	if !ok {
		return false
	}
	if p.now.Before(deadline) {
		p.plan.wakeAt(deadline)
		return false
	}
	return true
}

func deadline(pod *corev1.Pod) (time.Time, bool) {
	if pod.Spec.ActiveDeadlineSeconds == nil || pod.Status.StartTime == nil {
		return time.Time{}, false
	}
	return pod.Status.StartTime.Add(time.Duration(*pod.Spec.ActiveDeadlineSeconds) * time.Second), true
}

// initFailed says that an init container ended badly and is not to run again.
func (p *planner) initFailed() bool {
	for i := range p.Pod.Spec.InitContainers {
		c := &p.Pod.Spec.InitContainers[i]
		code, ended := p.ended(p.group, c.Name)
		if !isSidecar(c) && ended && code != 0 && !restarts(p.Pod, c, true, code) {
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
		if last, _ := p.group.newest(c.Name); !ended || p.Renewed[last.ID] || restarts(p.Pod, c, false, code) {
			return false
		}
	}
	return len(p.Pod.Spec.Containers) > 0
}

// finish frees what a finished pod holds. Its last containers stay, for their logs, until the pod is deleted.
func (p *planner) finish() {
	if p.stopAll() {
		return
	}
	for _, s := range p.group.sandboxes {
		p.remove(s)
	}
	p.sweepDead()
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
	stop := main
	if len(main) == 0 {
		stop = sidecars
	}
	for _, c := range stop {
		p.hasten(c)
		p.kill(c, "Stopping container "+c.Name)
		wait = true
	}
	return wait
}

func (p *planner) cancelStarts() bool {
	any := false
	for key, o := range p.Busy {
		switch o.Verb {
		case Start, RunSandbox, PrepareVolumes:
			p.plan.Actions = append(p.plan.Actions, Action{Verb: Cancel, Container: key})
			any = true
		}
	}
	return any
}

// runningByRole lists sidecars last to first, as they are to be stopped: of those, only the last one.
func (p *planner) runningByRole() (main, sidecar []Container) {
	order := map[string]int{}
	for i := range p.Pod.Spec.InitContainers {
		if c := &p.Pod.Spec.InitContainers[i]; isSidecar(c) {
			order[c.Name] = i + 1
		}
	}
	for _, c := range p.group.running() {
		switch {
		case order[c.Name] == 0:
			main = append(main, c)
		case len(sidecar) == 0:
			sidecar = []Container{c}
		case order[c.Name] > order[sidecar[0].Name]:
			sidecar[0] = c
		}
	}
	return main, sidecar
}

// hasten cancels a kill that would take longer than the grace that is asked for by now.
func (p *planner) hasten(c Container) {
	o, busy := p.Busy[c.Name]
	if busy && o.Verb == Kill && p.now.Add(p.grace()+time.Second).Before(o.Until) {
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
	seconds := p.Pod.DeletionGracePeriodSeconds
	if seconds == nil {
		seconds = p.Pod.Spec.TerminationGracePeriodSeconds
	}
	if seconds == nil {
		return graceDefault
	}
	return max(time.Duration(*seconds)*time.Second, graceMin)
}
