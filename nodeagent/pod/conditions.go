package pod

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conditions sets those that are the agent's to set, and keeps all others.
func (v *View) conditions(s *corev1.PodStatus, g group, now time.Time) {
	containers := v.containersReady(s)
	for _, c := range []corev1.PodCondition{
		v.canStart(g),
		v.initializedCondition(s),
		v.readyCondition(s, containers),
		containers,
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
	} {
		c.ObservedGeneration = v.Pod.Generation
		setCondition(s, c, now)
	}
	if c, knows := v.restartingCondition(g, s.Phase); knows {
		c.ObservedGeneration = v.Pod.Generation
		setCondition(s, c, now)
	}
	before := s.Conditions
	s.Conditions = slices.DeleteFunc(slices.Clone(before), func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodResizePending || c.Type == corev1.PodResizeInProgress
	})
	for _, c := range v.resizeConditions(g) {
		c.ObservedGeneration, c.LastTransitionTime = v.Pod.Generation, since(before, c.Type, now)
		s.Conditions = append(s.Conditions, c)
	}
}

// since is how long a condition that comes and goes has been there.
func since(before []corev1.PodCondition, t corev1.PodConditionType, now time.Time) metav1.Time {
	for _, c := range before {
		if c.Type == t {
			return c.LastTransitionTime
		}
	}
	return metav1.NewTime(now).Rfc3339Copy()
}

func setCondition(s *corev1.PodStatus, c corev1.PodCondition, now time.Time) {
	c.LastTransitionTime = metav1.NewTime(now).Rfc3339Copy()
	for i := range s.Conditions {
		old := &s.Conditions[i]
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		*old = c
		return
	}
	s.Conditions = append(s.Conditions, c)
}

func condition(t corev1.PodConditionType, ok bool, reason, message string) corev1.PodCondition {
	if ok {
		return corev1.PodCondition{Type: t, Status: corev1.ConditionTrue}
	}
	return corev1.PodCondition{Type: t, Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

// canStart: the sandbox has its network and the volumes are there, or were when a container was made.
func (v *View) canStart(g group) corev1.PodCondition {
	sandbox, up := g.sandbox()
	addressed := v.Pod.Spec.HostNetwork || sandbox.IP != ""
	return condition(corev1.PodReadyToStartContainers, up && addressed && (v.Volumes || len(g.byName) > 0), "", "")
}

func (v *View) initializedCondition(s *corev1.PodStatus) corev1.PodCondition {
	if s.Phase == corev1.PodSucceeded {
		return corev1.PodCondition{Type: corev1.PodInitialized, Status: corev1.ConditionTrue, Reason: "PodCompleted"}
	}
	var incomplete []string
	if count(s.ContainerStatuses).fresh() {
		for i := range v.Pod.Spec.InitContainers {
			c, state := &v.Pod.Spec.InitContainers[i], &s.InitContainerStatuses[i]
			done := state.State.Terminated != nil && state.State.Terminated.ExitCode == 0
			if isSidecar(c) {
				done = state.Started != nil && *state.Started
			}
			if !done {
				incomplete = append(incomplete, c.Name)
			}
		}
	}
	return condition(corev1.PodInitialized, len(incomplete) == 0, "ContainersNotInitialized",
		fmt.Sprintf("containers with incomplete status: [%s]", strings.Join(incomplete, " ")))
}

func (v *View) containersReady(s *corev1.PodStatus) corev1.PodCondition {
	if c, ended := endCondition(corev1.ContainersReady, s.Phase); ended {
		return c
	}
	var unready []string
	for i := range s.InitContainerStatuses {
		if isSidecar(&v.Pod.Spec.InitContainers[i]) && !s.InitContainerStatuses[i].Ready {
			unready = append(unready, s.InitContainerStatuses[i].Name)
		}
	}
	for i := range s.ContainerStatuses {
		if !s.ContainerStatuses[i].Ready {
			unready = append(unready, s.ContainerStatuses[i].Name)
		}
	}
	return condition(corev1.ContainersReady, len(unready) == 0, "ContainersNotReady",
		fmt.Sprintf("containers with unready status: [%s]", strings.Join(unready, " ")))
}

func endCondition(t corev1.PodConditionType, phase corev1.PodPhase) (corev1.PodCondition, bool) {
	switch phase {
	case corev1.PodSucceeded:
		return condition(t, false, "PodCompleted", ""), true
	case corev1.PodFailed:
		return condition(t, false, "PodFailed", ""), true
	}
	return corev1.PodCondition{}, false
}

// readyCondition is the containers' readiness and the conditions that the pod's readiness gates name.
func (v *View) readyCondition(s *corev1.PodStatus, containers corev1.PodCondition) corev1.PodCondition {
	if containers.Status != corev1.ConditionTrue {
		c := containers
		c.Type = corev1.PodReady
		return c
	}
	var missing []string
	for _, gate := range v.Pod.Spec.ReadinessGates {
		switch status := statusOf(s.Conditions, gate.ConditionType); status {
		case corev1.ConditionTrue:
		case "":
			missing = append(missing, fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate.ConditionType))
		default:
			missing = append(missing, fmt.Sprintf("the status of pod readiness gate %q is not \"True\", but %v", gate.ConditionType, status))
		}
	}
	return condition(corev1.PodReady, len(missing) == 0, "ReadinessGatesNotReady", strings.Join(missing, ", "))
}

// statusOf is a condition's status; empty when there is no such condition.
func statusOf(conditions []corev1.PodCondition, t corev1.PodConditionType) corev1.ConditionStatus {
	for i := range conditions {
		if conditions[i].Type == t {
			return conditions[i].Status
		}
	}
	return ""
}
