package kind

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// podSummary is a pod in one line, as `kubectl get pods` shows it.
type podSummary struct {
	ready, total int
	status       string
	restarts     Restarts
}

// summarize reads the status from the most telling place: the containers say more than the phase, an init container
// that has not ended says more than those, and a deletion more than all.
func summarize(p *corev1.Pod) podSummary {
	s := podSummary{total: len(p.Spec.Containers), status: phaseStatus(p)}
	sidecars := sidecarsOf(p)
	s.total += len(sidecars)

	initializing := s.initContainers(p, sidecars)
	if !initializing || podCondition(p, corev1.PodInitialized) {
		s.restarts = sidecarRestarts(p, sidecars)
		s.containers(p)
	}
	if p.DeletionTimestamp != nil {
		s.deleting(p)
	}
	return s
}

func phaseStatus(p *corev1.Pod) string {
	status := or(p.Status.Reason, string(p.Status.Phase))
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			status = corev1.PodReasonSchedulingGated
		}
	}
	return status
}

// sidecarsOf names the init containers that keep running beside the containers.
func sidecarsOf(p *corev1.Pod) map[string]bool {
	sidecars := map[string]bool{}
	for i := range p.Spec.InitContainers {
		if c := &p.Spec.InitContainers[i]; isSidecar(c) {
			sidecars[c.Name] = true
		}
	}
	return sidecars
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

func sidecarRestarts(p *corev1.Pod, sidecars map[string]bool) Restarts {
	var r Restarts
	for i := range p.Status.InitContainerStatuses {
		if c := &p.Status.InitContainerStatuses[i]; sidecars[c.Name] {
			r.add(c)
		}
	}
	return r
}

// add counts a container's restarts and keeps the time of the latest.
func (r *Restarts) add(c *corev1.ContainerStatus) {
	r.Count += int(c.RestartCount)
	if t := c.LastTerminationState.Terminated; t != nil && r.Last.Before(&t.FinishedAt) {
		r.Last = t.FinishedAt
	}
}

// initContainers reads init containers up to the first that is not done; it tells whether there is one.
func (s *podSummary) initContainers(p *corev1.Pod, sidecars map[string]bool) bool {
	for i := range p.Status.InitContainerStatuses {
		c := &p.Status.InitContainerStatuses[i]
		s.restarts.add(c)
		switch ended, waiting := c.State.Terminated, c.State.Waiting; {
		case ended != nil && ended.ExitCode == 0:
			continue
		case sidecars[c.Name] && c.Started != nil && *c.Started:
			if c.Ready {
				s.ready++
			}
			continue
		case ended != nil:
			s.status = "Init:" + endedStatus(ended)
		case waiting != nil && waiting.Reason != "" && waiting.Reason != "PodInitializing":
			s.status = "Init:" + waiting.Reason
		default:
			s.status = fmt.Sprintf("Init:%d/%d", i, len(p.Spec.InitContainers))
		}
		return true
	}
	return false
}

// containers reads the containers from last to first, so that the first one's trouble is what shows.
func (s *podSummary) containers(p *corev1.Pod) {
	running := false
	for i := len(p.Status.ContainerStatuses) - 1; i >= 0; i-- {
		c := &p.Status.ContainerStatuses[i]
		s.restarts.add(c)
		switch ended, waiting := c.State.Terminated, c.State.Waiting; {
		case waiting != nil && waiting.Reason != "":
			s.status = waiting.Reason
		case ended != nil:
			s.status = endedStatus(ended)
		case c.Ready && c.State.Running != nil:
			running = true
			s.ready++
		}
	}
	if s.status == "Completed" && running {
		s.status = "NotReady"
		if podCondition(p, corev1.PodReady) {
			s.status = "Running"
		}
	}
}

func endedStatus(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason != "":
		return t.Reason
	case t.Signal != 0:
		return fmt.Sprintf("Signal:%d", t.Signal)
	default:
		return fmt.Sprintf("ExitCode:%d", t.ExitCode)
	}
}

func (s *podSummary) deleting(p *corev1.Pod) {
	switch {
	case p.Status.Reason == nodeLost:
		s.status = "Unknown"
	case !ended(p):
		s.status = "Terminating"
	}
}

// nodeLost is a pod's reason when its node no longer answers.
const nodeLost = "NodeLost"

// ended tells that the pod will not run again.
func ended(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}
