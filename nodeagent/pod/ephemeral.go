package pod

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// ephemeralContainers are those that somebody has brought to look around in the pod. They run once, whatever the pod's
// policy is.
func ephemeralContainers(pod *corev1.Pod) []corev1.Container {
	once := corev1.ContainerRestartPolicyNever
	var list []corev1.Container
	for i := range pod.Spec.EphemeralContainers {
		c := corev1.Container(pod.Spec.EphemeralContainers[i].EphemeralContainerCommon)
		c.RestartPolicy = &once
		list = append(list, c)
	}
	return list
}

// startEphemeral starts the ephemeral containers that never were, beside whatever else happens to the pod.
func (p *planner) startEphemeral(sandbox Container) {
	for _, c := range ephemeralContainers(p.Pod) {
		have, found := p.group.newest(c.Name)
		_, busy := p.Busy[c.Name]
		switch {
		case busy:
		case found && have.State == Created && in(sandbox, have):
			p.start(&c, Action{ID: have.ID, Attempt: have.Attempt})
		case !found && !p.ran(c.Name):
			p.start(&c, Action{})
		}
	}
}

// ran says whether the API remembers a container, which the engine may have lost since.
func (v *View) ran(name string) bool {
	s := v.reported(name)
	return s != nil && s.ContainerID != ""
}

// ephemeralStatuses tells of containers that are neither ready nor started: nobody waits for them.
func (v *View) ephemeralStatuses(g group, p Plan) []corev1.ContainerStatus {
	list := v.containerStatuses(g, p, ephemeralContainers(v.Pod), false)
	for i := range list {
		list[i].Ready, list[i].Started = false, nil
		list[i].AllocatedResources, list[i].Resources = nil, nil
	}
	return list
}

// target is the running container whose processes an ephemeral one is to see; empty when it asks for none.
func target(pod *corev1.Pod, g group, name string) (id string, err error) {
	for _, c := range pod.Spec.EphemeralContainers {
		if c.Name != name || c.TargetContainerName == "" {
			continue
		}
		have, _ := g.newest(c.TargetContainerName)
		if have.State != Running {
			return "", fmt.Errorf("unable to find target container %q", c.TargetContainerName)
		}
		return have.ID, nil
	}
	return "", nil
}
