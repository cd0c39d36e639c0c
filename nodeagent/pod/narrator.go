package pod

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/volume"
)

// narrator tells a pod's story as events.
type narrator struct {
	deps    *Config
	told    map[string]Waiting // by container: so that each wait is told once
	refused bool
	overdue bool
	resizes resizeStory
}

// reference names a pod, or a container in it, as events do.
func reference(pod *corev1.Pod, c *corev1.Container) *corev1.ObjectReference {
	ref := &corev1.ObjectReference{
		APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
	}
	if c == nil {
		return ref
	}
	field := "containers"
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == c.Name {
			field = "initContainers"
		}
	}
	for i := range pod.Spec.EphemeralContainers {
		if pod.Spec.EphemeralContainers[i].Name == c.Name {
			field = "ephemeralContainers"
		}
	}
	ref.FieldPath = fmt.Sprintf("spec.%s{%s}", field, c.Name)
	return ref
}

// container gives a voice for one container's events, or, for none, for the pod's.
func (n *narrator) container(pod *corev1.Pod, c *corev1.Container) func(kind, reason, message string) {
	ref := reference(pod, c)
	return func(kind, reason, message string) { n.deps.Events.Event(ref, kind, reason, message) }
}

func (n *narrator) pod(pod *corev1.Pod, kind, reason, message string) {
	n.deps.Events.Event(reference(pod, nil), kind, reason, message)
}

// tell announces what a plan brings that is new.
func (n *narrator) tell(v *View, p Plan, now time.Time) {
	pod := v.Pod
	if v.Refused != "" && !n.refused {
		n.refused = true
		n.pod(pod, corev1.EventTypeWarning, unsupportedReason, v.Refused)
	}
	if end, ok := v.deadline(); ok && !now.Before(end) && !isTerminal(pod.Status.Phase) && !n.overdue {
		n.overdue = true
		n.pod(pod, corev1.EventTypeNormal, deadlineExceeded, deadlineMessage)
	}
	for _, a := range p.Actions {
		if a.Verb == RunSandbox && a.Attempt > 0 {
			n.pod(pod, corev1.EventTypeNormal, "SandboxChanged", sandboxChanged)
		}
	}
	for name, w := range p.Waiting {
		if n.told[name].Reason != w.Reason {
			n.waiting(pod, name, w)
		}
	}
	n.told = p.Waiting
}

func (n *narrator) waiting(pod *corev1.Pod, name string, w Waiting) {
	c := containerOf(pod, name)
	say := n.container(pod, c)
	switch w.Reason {
	case "CrashLoopBackOff":
		say(corev1.EventTypeWarning, "BackOff", fmt.Sprintf("Back-off restarting failed container %s in pod %s", name, fullName(pod)))
	case imagePullBackOff:
		if w.Image != "" {
			n.pod(pod, corev1.EventTypeNormal, "BackOff", fmt.Sprintf("Back-off pulling image %q", w.Image))
		} else {
			say(corev1.EventTypeNormal, "BackOff", fmt.Sprintf("Back-off pulling image %q", c.Image))
		}
		say(corev1.EventTypeWarning, "Failed", "Error: "+imagePullBackOff)
	}
}

// failedMounts announces each volume that could not be set up.
func (n *narrator) failedMounts(pod *corev1.Pod, all volume.Errors) {
	for _, err := range all {
		n.pod(pod, corev1.EventTypeWarning, "FailedMount", err.Error())
	}
}

// failed announces an operation that went wrong.
func (n *narrator) failed(pod *corev1.Pod, a Action, f Failure) {
	switch a.Verb {
	case PrepareVolumes:
		n.pod(pod, corev1.EventTypeWarning, "FailedMount", f.Message)
	case HoldPod:
		n.pod(pod, corev1.EventTypeWarning, "FailedCreatePodContainer", "unable to ensure pod container exists: "+f.Message)
	case RunSandbox:
		n.pod(pod, corev1.EventTypeWarning, "FailedCreatePodSandBox", "Failed to create pod sandbox: "+f.Message)
	case Start:
		message := f.Message
		if slices.Contains(imageReasons, f.Reason) {
			message = f.Reason // the reason's own event has told the rest
		}
		n.container(pod, containerOf(pod, a.Container))(corev1.EventTypeWarning, "Failed", "Error: "+message)
	case Resize:
		n.pod(pod, corev1.EventTypeWarning, "ResizeError", "Pod resize error: "+amountsOf(pod, fmt.Sprintf("container %s: %s", a.Container, f.Message)))
	case Kill:
		n.container(pod, containerOf(pod, a.Container))(corev1.EventTypeWarning, "FailedKillPod", "error killing pod: "+f.Message)
	}
}
