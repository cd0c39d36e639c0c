package pod

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// remembered is a container that the engine has no more though the API was told that it ran: somebody has removed it.
// It counts as one that is still there and has ended, as its status says, or, when it ran, with the code of a kill. That
// of one that all containers' new start has taken away says nothing.
func (v *View) remembered(g group, name string) (last Container, ok bool) {
	s := v.reported(name)
	if s == nil || s.ContainerID == "" && s.State.Terminated == nil {
		return Container{}, false
	}
	end := lastEnd(s)
	if s.State.Running != nil {
		end = lost(s).Terminated
	}
	if end == nil || end.Reason == restartingAll || v.startsOver(g) {
		return Container{}, false
	}
	last = Container{
		ID: strings.TrimPrefix(s.ContainerID, runtimeScheme), PodUID: v.Pod.UID, Name: name, State: Exited,
		Attempt: int(s.RestartCount), ExitCode: int(end.ExitCode), Started: end.StartedAt.Time, Finished: end.FinishedAt.Time,
	}
	// The API's times are whole seconds.
	if sandbox, up := g.sandbox(); up && !last.Started.Before(sandbox.Created.Truncate(time.Second)) {
		last.SandboxID = sandbox.ID
	}
	return last, true
}

// bringBack starts a container that the engine does not have. One that somebody removed starts as it would if it were
// still there: as its policy says, and with its back-off. An init container runs again in any case.
func (p *planner) bringBack(sandbox Container, c *corev1.Container, init bool) {
	last, ran := p.remembered(p.group, c.Name)
	if !ran || init && !isSidecar(c) {
		p.start(c, Action{Attempt: p.attempt(p.group, c.Name)})
		return
	}
	last.Hash = Hash(c)
	p.restart(sandbox, c, last, init)
}
