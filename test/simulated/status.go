package simulated

import (
	"encoding/json"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// seconds is a time as the API keeps it.
func seconds(t time.Time) metav1.Time { return metav1.NewTime(t).Rfc3339Copy() }

// status is what the agent reports of a stage; what others have set stays.
func (p *pod) status(s stage, hostIP string, now time.Time) corev1.PodStatus {
	status := *p.object.Status.DeepCopy()
	status.Phase = s.phase
	status.ObservedGeneration = p.object.Generation
	status.StartTime = new(seconds(p.since))
	status.HostIP, status.HostIPs = hostIP, []corev1.HostIP{{IP: hostIP}}
	if s.phase != corev1.PodPending {
		status.PodIP, status.PodIPs = p.ip, []corev1.PodIP{{IP: p.ip}}
	}
	status.InitContainerStatuses = initStatuses(p.object, s)
	status.ContainerStatuses = nil
	for _, c := range p.object.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, containerStatus(c, s))
	}
	started := s.phase != corev1.PodPending
	for _, c := range []struct {
		name corev1.PodConditionType
		ok   bool
		why  string
	}{
		{corev1.PodReadyToStartContainers, started && !finished(s.phase), ""},
		{corev1.PodInitialized, started || len(p.object.Spec.InitContainers) == 0, "ContainersNotInitialized"},
		{corev1.PodReady, s.ready, notReady(s)},
		{corev1.ContainersReady, s.ready, notReady(s)},
		{corev1.PodScheduled, true, ""},
	} {
		setCondition(&status, c.name, c.ok, c.why, p.object.Generation, now)
	}
	return status
}

func notReady(s stage) string {
	switch s.phase {
	case corev1.PodSucceeded:
		return "PodCompleted"
	case corev1.PodFailed:
		return "PodFailed"
	}
	return "ContainersNotReady"
}

func containerStatus(c corev1.Container, s stage) corev1.ContainerStatus {
	status := corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, State: s.state, LastTerminationState: s.last, RestartCount: s.restarts, Ready: s.ready,
		Started: new(s.state.Running != nil),
	}
	if s.phase != corev1.PodPending {
		status.ContainerID, status.ImageID = "simulated://"+c.Name, "simulated://"+c.Image
	}
	return status
}

// initStatuses are those of init containers, which have done their work when the others are started.
func initStatuses(object *corev1.Pod, s stage) []corev1.ContainerStatus {
	var all []corev1.ContainerStatus
	for _, c := range object.Spec.InitContainers {
		one := stage{phase: s.phase, state: waiting("PodInitializing")}
		if s.phase != corev1.PodPending {
			one.state, one.ready = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}, true
		}
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			one = s
		}
		all = append(all, containerStatus(c, one))
	}
	return all
}

func setCondition(s *corev1.PodStatus, name corev1.PodConditionType, ok bool, why string, generation int64, now time.Time) {
	c := corev1.PodCondition{Type: name, Status: corev1.ConditionTrue, ObservedGeneration: generation, LastTransitionTime: seconds(now)}
	if !ok {
		c.Status, c.Reason = corev1.ConditionFalse, why
	}
	for i := range s.Conditions {
		if old := &s.Conditions[i]; old.Type == name {
			if old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
			*old = c
			return
		}
	}
	s.Conditions = append(s.Conditions, c)
}

// statusPatch is the difference between what the API has and a status, good for this pod alone.
func statusPatch(object *corev1.Pod, status corev1.PodStatus) ([]byte, error) {
	before, err := json.Marshal(corev1.Pod{Status: object.Status})
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: object.UID}, Status: status})
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Pod{})
}
