package pod

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// allocated is what the API was told that a container has been given.
func (v *View) allocated(name string) (given corev1.ResourceRequirements, ok bool) {
	s := v.reported(name)
	if s == nil || s.Resources == nil {
		return corev1.ResourceRequirements{}, false
	}
	return corev1.ResourceRequirements{Requests: s.AllocatedResources, Limits: s.Resources.Limits}, true
}

// allocation is what a container is given: what it asks for, but for a resize that has to wait.
func (v *View) allocation(c *corev1.Container) corev1.ResourceRequirements {
	if v.Pending != (Waiting{}) {
		if given, ok := v.allocated(c.Name); ok {
			return given
		}
	}
	return c.Resources
}

// asksForOther says whether any container asks for other amounts than it was given.
func (v *View) asksForOther() bool {
	return v.podAsksForOther() || slices.ContainsFunc(allContainers(v.Pod), func(c *corev1.Container) bool {
		given, ok := v.allocated(c.Name)
		return ok && !equality.Semantic.DeepEqual(given.Requests, c.Resources.Requests)
	})
}

// fits says whether the engine holds a running container to what it was given, as far as the engine can.
func (v *View) fits(c *corev1.Container, have Container) bool {
	wanted := v.share(c)
	return have.Share == wanted || v.Resized[have.ID] == wanted
}

// resizesByRestart says whether a container that is given other amounts wants to start anew with them.
func (v *View) resizesByRestart(c *corev1.Container, have Container) bool {
	if v.fits(c, have) {
		return false
	}
	wanted := v.share(c)
	return slices.ContainsFunc(c.ResizePolicy, func(p corev1.ContainerResizePolicy) bool {
		switch {
		case p.RestartPolicy != corev1.RestartContainer:
			return false
		case p.ResourceName == corev1.ResourceMemory:
			return wanted.Memory != have.Share.Memory
		}
		return wanted.Weight != have.Share.Weight || wanted.Quota != have.Share.Quota
	})
}

// resize gives a running container other amounts.
func (p *planner) resize(c *corev1.Container, have Container) {
	if !p.fits(c, have) {
		p.do(Action{Verb: Resize, Container: c.Name, ID: have.ID})
	}
}

// The conditions of pods that are resized, and their reasons.
const (
	resizeError      = "Error"
	resizeDeferred   = corev1.PodReasonDeferred
	resizeInfeasible = corev1.PodReasonInfeasible
)

// resizeConditions are there as long as a resize waits, or is under way.
func (v *View) resizeConditions(g group) (conditions []corev1.PodCondition) {
	if w := v.Pending; w != (Waiting{}) {
		conditions = append(conditions, corev1.PodCondition{Type: corev1.PodResizePending, Status: corev1.ConditionTrue, Reason: w.Reason, Message: w.Message})
	}
	resizing := v.resizing(g)
	if len(resizing) == 0 {
		return conditions
	}
	progress := corev1.PodCondition{Type: corev1.PodResizeInProgress, Status: corev1.ConditionTrue}
	for _, have := range resizing {
		if f, failed := v.Failures[Action{Verb: Resize, ID: have.ID}.key()]; failed {
			progress.Reason, progress.Message = resizeError, fmt.Sprintf("container %s: %s", have.Name, f.Message)
			break
		}
	}
	return append(conditions, progress)
}

// resizing lists the running containers that the engine holds to other amounts than they are given.
func (v *View) resizing(g group) (list []Container) {
	for _, c := range allContainers(v.Pod) {
		if have, found := g.newest(c.Name); found && have.State == Running && !v.fits(c, have) {
			list = append(list, have)
		}
	}
	return list
}

// resources fills in what a container was given, and what the engine really holds it to.
func (v *View) resources(s *corev1.ContainerStatus, g group, c *corev1.Container) {
	given := v.allocation(c)
	actual := *given.DeepCopy()
	if have, found := g.newest(c.Name); found && have.State == Running && !v.fits(c, have) {
		actual = have.Share.actual(given)
	}
	s.AllocatedResources, s.Resources = given.Requests.DeepCopy(), &actual
}
