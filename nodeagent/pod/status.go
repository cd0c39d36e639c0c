package pod

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Status is what the API is to say of the pod now. It is pure: what the pod's status said before is part of the view,
// and what still holds is kept, times of transitions above all.
func (v *View) Status(p Plan, now time.Time) corev1.PodStatus {
	g := groupOf(v.Containers)
	s := *v.Pod.Status.DeepCopy()
	s.ObservedGeneration = v.Pod.Generation
	s.QOSClass = qosClass(v.Pod)
	if s.StartTime == nil {
		t := metav1.NewTime(now).Rfc3339Copy()
		s.StartTime = &t
	}
	v.addresses(&s, g)
	s.InitContainerStatuses = v.containerStatuses(g, p, v.Pod.Spec.InitContainers, true)
	s.ContainerStatuses = v.containerStatuses(g, p, v.Pod.Spec.Containers, false)
	s.EphemeralContainerStatuses = v.ephemeralStatuses(g, p)
	if of := v.podAllocation(); of != nil {
		s.AllocatedResources, s.Resources = of.Requests.DeepCopy(), of.DeepCopy()
	}
	s.Phase = v.phase(&s, g)
	v.explain(&s, now)
	v.tellEnd(&s, now)
	v.conditions(&s, g, now)
	if v.End != nil && v.End.Rejected { // there never were any
		s.InitContainerStatuses, s.ContainerStatuses = v.Pod.Status.InitContainerStatuses, v.Pod.Status.ContainerStatuses
	}
	return s
}

// addresses keeps what the pod had once it has ended.
func (v *View) addresses(s *corev1.PodStatus, g group) {
	s.HostIP = v.HostIP
	s.HostIPs = []corev1.HostIP{{IP: v.HostIP}}
	sandbox, up := g.sandbox()
	ip := sandbox.IP
	if v.Pod.Spec.HostNetwork {
		ip = v.HostIP
	}
	if up && ip != "" {
		s.PodIP, s.PodIPs = ip, []corev1.PodIP{{IP: ip}}
	}
}

// explain gives the reason of a whole pod's state, where there is one of ours.
func (v *View) explain(s *corev1.PodStatus, now time.Time) {
	switch end, ok := v.deadline(); {
	case ok && !now.Before(end) && !isTerminal(v.Pod.Status.Phase):
		s.Phase, s.Reason, s.Message = corev1.PodFailed, deadlineExceeded, deadlineMessage
	case v.Refused != "" && !isTerminal(s.Phase):
		s.Reason, s.Message = unsupportedReason, v.Refused
	}
}

// phase follows the kubelet's rules; a terminal one never changes again.
func (v *View) phase(s *corev1.PodStatus, g group) corev1.PodPhase {
	if isTerminal(v.Pod.Status.Phase) {
		return v.Pod.Status.Phase
	}
	if v.Pod.DeletionTimestamp != nil && len(g.running()) == 0 && len(v.Containers) > 0 {
		return endPhase(s)
	}
	if phase, pending := v.initPhase(s); pending {
		return phase
	}
	t := count(s.ContainerStatuses)
	switch {
	case t.waiting > 0:
		return corev1.PodPending
	case t.running > 0:
		return corev1.PodRunning
	case len(g.running()) > 0: // only sidecars are left
		return corev1.PodRunning
	case v.goesOn(s):
		return corev1.PodRunning
	}
	return endPhase(s)
}

// initPhase says whether the init containers still decide the phase.
func (v *View) initPhase(s *corev1.PodStatus) (phase corev1.PodPhase, decides bool) {
	for i := range v.Pod.Spec.InitContainers {
		c, state := &v.Pod.Spec.InitContainers[i], &s.InitContainerStatuses[i]
		ended := state.State.Terminated
		switch {
		case isSidecar(c):
			if count(s.ContainerStatuses).fresh() && (state.Started == nil || !*state.Started) {
				return corev1.PodPending, true
			}
		case ended != nil && ended.ExitCode == 0:
		case ended != nil && !restarts(v.Pod, c, true, int(ended.ExitCode)):
			return corev1.PodFailed, true
		case count(s.ContainerStatuses).fresh():
			return corev1.PodPending, true
		}
	}
	return "", false
}

// goesOn says whether any container that ended is to run again.
func (v *View) goesOn(s *corev1.PodStatus) bool {
	for i := range v.Pod.Spec.Containers {
		end := lastEnd(&s.ContainerStatuses[i])
		if end == nil || end.Reason == restartingAll || v.Renewed[strings.TrimPrefix(end.ContainerID, runtimeScheme)] || restarts(v.Pod, &v.Pod.Spec.Containers[i], false, int(end.ExitCode)) {
			return true
		}
	}
	return false
}

// endPhase is Succeeded when every container ended well.
func endPhase(s *corev1.PodStatus) corev1.PodPhase {
	for i := range s.ContainerStatuses {
		if end := lastEnd(&s.ContainerStatuses[i]); end == nil || end.ExitCode != 0 {
			return corev1.PodFailed
		}
	}
	return corev1.PodSucceeded
}

// lastEnd is how a container ended, also while it waits for its restart; nil when it runs or never ran.
func lastEnd(s *corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	switch {
	case s.State.Terminated != nil:
		return s.State.Terminated
	case s.State.Waiting != nil:
		return s.LastTerminationState.Terminated
	}
	return nil
}

type totals struct{ waiting, running, ended int }

// count sorts containers: those that wait for a restart have ended once, and do not make the pod pending again.
func count(list []corev1.ContainerStatus) (t totals) {
	for i := range list {
		switch {
		case list[i].State.Running != nil:
			t.running++
		case lastEnd(&list[i]) != nil:
			t.ended++
		default:
			t.waiting++
		}
	}
	return t
}

// fresh says that no container has ever run.
func (t totals) fresh() bool { return t.running == 0 && t.ended == 0 }
