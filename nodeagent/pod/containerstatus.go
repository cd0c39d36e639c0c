package pod

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/probe"
)

// runtimeScheme is what container IDs in a status begin with.
const runtimeScheme = "docker://"

func (v *View) containerStatuses(g group, p Plan, specs []corev1.Container, init bool) []corev1.ContainerStatus {
	var list []corev1.ContainerStatus
	for i := range specs {
		s := v.containerStatus(g, p, &specs[i], init)
		if v.wasReset(g, &specs[i]) {
			reset(&s)
		}
		v.resources(&s, g, &specs[i])
		s.VolumeMounts = mountStatuses(&specs[i])
		list = append(list, s)
	}
	return list
}

// containerStatus tells of one container: its newest attempt, and how the one before ended.
func (v *View) containerStatus(g group, p Plan, c *corev1.Container, init bool) corev1.ContainerStatus {
	s := corev1.ContainerStatus{Name: c.Name, Image: c.Image}
	attempts := g.byName[c.Name]
	if len(attempts) == 0 {
		v.absent(&s, p, c, init)
		return s
	}
	have := attempts[0]
	s.RestartCount = int32(have.Attempt)
	s.ContainerID = runtimeScheme + have.ID
	s.ImageID = v.imageID(have)
	s.LastTerminationState = v.lastState(attempts, c.Name)
	switch have.State {
	case Exited:
		s.State.Terminated = v.terminated(have)
	case Created:
		s.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
		s.ContainerID, s.ImageID = "", ""
	default:
		s.State.Running = &corev1.ContainerStateRunning{StartedAt: apiTime(have.Started)}
	}
	if have.State != Created {
		s.User, s.StopSignal = v.user(have), signal(c, have)
	}
	started := v.started(c, have)
	s.Started = &started
	s.Ready = v.ready(c, have, init)
	v.wait(&s, p)
	return s
}

// wait shows why a container that does not run is not started now; its end becomes the last state.
func (v *View) wait(s *corev1.ContainerStatus, p Plan) {
	w, waits := p.Waiting[s.Name]
	if !waits || s.State.Running != nil {
		return
	}
	if s.State.Terminated != nil {
		s.LastTerminationState = corev1.ContainerState{Terminated: s.State.Terminated}
	}
	s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: w.Reason, Message: w.Message}}
}

// absent tells of a container that the engine does not have: it has not come to be yet, or somebody removed it.
func (v *View) absent(s *corev1.ContainerStatus, p Plan, c *corev1.Container, init bool) {
	off := false
	s.Started = &off
	before := v.reported(c.Name)
	if before != nil && before.ContainerID != "" {
		*s = *before.DeepCopy()
		again := init && !isSidecar(c) && s.State.Running != nil // it was not done
		if s.State.Terminated == nil && s.State.Waiting == nil {
			s.State = lost(before)
		}
		s.Ready, s.Started = init && !isSidecar(c) && s.State.Terminated != nil && s.State.Terminated.ExitCode == 0, &off
		if v.Pod.DeletionTimestamp != nil || isTerminal(v.Pod.Status.Phase) ||
			s.State.Terminated != nil && !again && !restarts(v.Pod, c, init, int(s.State.Terminated.ExitCode)) {
			return
		}
		s.Ready = false
		if s.State.Terminated != nil {
			s.LastTerminationState = corev1.ContainerState{Terminated: s.State.Terminated}
		}
	}
	s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: v.defaultReason(), Message: v.Pulling[c.Name]}}
	v.wait(s, p)
}

func (v *View) defaultReason() string {
	if len(v.Pod.Spec.InitContainers) > 0 {
		return "PodInitializing"
	}
	return "ContainerCreating"
}

// lost is the end of a container that somebody removed while it ran.
func lost(before *corev1.ContainerStatus) corev1.ContainerState {
	end := &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "ContainerStatusUnknown", ContainerID: before.ContainerID,
		Message: "The container could not be located when the pod was terminated",
	}
	if ran := before.State.Running; ran != nil {
		end.StartedAt = ran.StartedAt
	}
	return corev1.ContainerState{Terminated: end}
}

func (v *View) terminated(c Container) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{
		ExitCode:    int32(c.ExitCode),
		Reason:      endReason(c),
		Message:     v.endMessage(c),
		StartedAt:   apiTime(c.Started),
		FinishedAt:  apiTime(c.Finished),
		ContainerID: runtimeScheme + c.ID,
	}
}

func endReason(c Container) string {
	switch {
	case c.OOMKilled:
		return "OOMKilled"
	case c.Error != "":
		return "StartError"
	case c.ExitCode == 0:
		return "Completed"
	}
	return "Error"
}

func (v *View) endMessage(c Container) string {
	if c.Error != "" {
		return c.Error
	}
	return v.Messages[c.ID]
}

// lastState is the end before the newest attempt: as the engine still has it, else as the API remembers it.
func (v *View) lastState(attempts []Container, name string) corev1.ContainerState {
	for _, c := range attempts[1:] {
		if c.State == Exited {
			return corev1.ContainerState{Terminated: v.terminated(c)}
		}
	}
	before := v.reported(name)
	if before == nil || attempts[0].Attempt == 0 {
		return corev1.ContainerState{}
	}
	if t := before.State.Terminated; t != nil && t.ContainerID != runtimeScheme+attempts[0].ID {
		return corev1.ContainerState{Terminated: t}
	}
	if t := before.LastTerminationState.Terminated; t != nil && t.ContainerID != runtimeScheme+attempts[0].ID {
		return corev1.ContainerState{Terminated: t}
	}
	return corev1.ContainerState{}
}

// ready: an init container once it has succeeded, a sidecar or a container while it runs and its probes are content.
func (v *View) ready(c *corev1.Container, have Container, init bool) bool {
	if init && !isSidecar(c) {
		return have.State == Exited && have.ExitCode == 0
	}
	if have.State != Running || !v.started(c, have) {
		return false
	}
	return c.ReadinessProbe == nil || v.health(have).Readiness == probe.Success
}

// imageID is the repository's digest where it is known, else the image's own ID.
func (v *View) imageID(c Container) string {
	if id := v.ImageIDs[c.ImageID]; id != "" {
		return id
	}
	return c.ImageID
}

// apiTime is a time as the API keeps it: whole seconds.
func apiTime(t time.Time) metav1.Time {
	if t.IsZero() {
		return metav1.Time{}
	}
	return metav1.NewTime(t).Rfc3339Copy()
}

// mountStatuses tells of a container's mounts, and whether those that are read-only are so all the way down.
func mountStatuses(c *corev1.Container) []corev1.VolumeMountStatus {
	var list []corev1.VolumeMountStatus
	for _, m := range c.VolumeMounts {
		s := corev1.VolumeMountStatus{Name: m.Name, MountPath: m.MountPath, ReadOnly: m.ReadOnly}
		if m.ReadOnly {
			mode := corev1.RecursiveReadOnlyDisabled
			if recursivelyReadOnly(m) {
				mode = corev1.RecursiveReadOnlyEnabled
			}
			s.RecursiveReadOnly = &mode
		}
		list = append(list, s)
	}
	return list
}
