package pod

import (
	corev1 "k8s.io/api/core/v1"
)

// What is said of containers that start again because another one of their pod has ended with a code for which its
// rules want that.
const (
	restartingAll        = "RestartingAllContainers"
	restartingAllMessage = "The container is removed because RestartAllContainers in place"
)

// restartsAll says whether a container that ended makes all of its pod's start again.
func restartsAll(c *corev1.Container, have Container) bool {
	if have.State != Exited {
		return false
	}
	return codeRestartsAll(c, have.ExitCode)
}

func codeRestartsAll(c *corev1.Container, exitCode int) bool {
	rule := ruleFor(c, exitCode)
	return rule != nil && rule.Action == corev1.ContainerRestartRuleActionRestartAllContainers
}

// causes are the containers for whose end all are to start again, by ID. As long as the engine has one of them, that is
// not over: they are removed last.
func (v *View) causes(g group) map[string]bool {
	ids := map[string]bool{}
	for _, c := range allContainers(v.Pod) {
		for _, have := range g.byName[c.Name] {
			if restartsAll(c, have) {
				ids[have.ID] = true
			}
		}
	}
	return ids
}

// endedForAll says whether a container ended because all start again, or is the cause of that: not one that had ended
// before it came to that.
func (v *View) endedForAll(g group, last Container) bool {
	causes := v.causes(g)
	for _, c := range g.byName {
		for _, have := range c {
			if causes[have.ID] && !last.Finished.Before(have.Finished) {
				return true
			}
		}
	}
	return false
}

// restartAll takes all containers away, so that they start again from the first on; false when that is not asked for.
//
//  1. what starts is broken off, what runs is killed: no hook runs, and nobody waits
//  2. the API is told, for the containers' numbers and ends
//  3. those that were killed are removed, then those that caused it
func (p *planner) restartAll() bool {
	causes := p.causes(p.group)
	if len(causes) == 0 {
		return false
	}
	wait := p.cancelStarts()
	var others, last []Container
	for _, c := range allContainers(p.Pod) {
		for _, have := range p.group.byName[c.Name] {
			switch {
			case have.State == Running:
				p.do(Action{Verb: Kill, Container: have.Name, ID: have.ID, Grace: graceMin, Why: "Stopping container " + have.Name, Abrupt: true})
				wait = true
			case causes[have.ID]:
				last = append(last, have)
			default:
				others = append(others, have)
			}
		}
	}
	if wait || !p.Reported {
		return true
	}
	if len(others) == 0 {
		others = last
	}
	for _, c := range others {
		p.remove(c)
	}
	return true
}

// startsOver says whether all containers were taken away, and what caused that is not there again: what the API remembers
// of them is of the time before.
func (v *View) startsOver(g group) bool {
	for _, c := range allContainers(v.Pod) {
		if v.causedAll(g, c) {
			return true
		}
	}
	return false
}

// causedAll says whether the end of a container that was taken away is why all were.
func (v *View) causedAll(g group, c *corev1.Container) bool {
	if _, found := g.newest(c.Name); found {
		return false
	}
	s := v.reported(c.Name)
	if s == nil || s.ContainerID == "" {
		return false
	}
	end := lastEnd(s)
	return end != nil && codeRestartsAll(c, int(end.ExitCode))
}

// wasReset says whether a container was killed, or taken away, because all start again.
func (v *View) wasReset(g group, c *corev1.Container) bool {
	if v.ends() {
		return false
	}
	have, found := g.newest(c.Name)
	if !found {
		s := v.reported(c.Name)
		return s != nil && s.ContainerID != "" && v.startsOver(g) && !v.causedAll(g, c)
	}
	return have.State == Exited && !restartsAll(c, have) && v.endedForAll(g, have)
}

// reset makes the status of a container say that it goes because all of its pod's start again.
func reset(s *corev1.ContainerStatus) {
	off := false
	s.Ready, s.Started = false, &off
	s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: restartingAll, Message: restartingAllMessage}}
	s.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: restartingAll, Message: restartingAllMessage,
	}}
}

// restartingCondition says of a pod whose rules know that all containers start again whether they do now.
func (v *View) restartingCondition(g group, phase corev1.PodPhase) (c corev1.PodCondition, knows bool) {
	for _, c := range allContainers(v.Pod) {
		for _, rule := range c.RestartPolicyRules {
			knows = knows || rule.Action == corev1.ContainerRestartRuleActionRestartAllContainers
		}
	}
	if c, ended := endCondition(corev1.AllContainersRestarting, phase); ended {
		return c, knows
	}
	if len(v.causes(g)) == 0 {
		return condition(corev1.AllContainersRestarting, false, "", ""), knows
	}
	return corev1.PodCondition{Type: corev1.AllContainersRestarting, Status: corev1.ConditionTrue,
		Reason: "RestartAllContainersStarted", Message: "container exited with restart policy rule"}, knows
}
