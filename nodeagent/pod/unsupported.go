package pod

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/volume"
)

// unsupportedReason is the status reason and the event of a pod that asks for what this agent cannot do.
const unsupportedReason = "Unsupported"

// unsupported lists the fields of a pod's spec that are refused when set, but on a host that can do it. Whatever is
// neither here nor carried out is for others than the node: the scheduler, admission, controllers.
var unsupported = []struct {
	Field string
	Set   func(*corev1.PodSpec) bool
	Can   func(Host) bool // nil: no host can
}{
	{"spec.hostUsers: false", func(s *corev1.PodSpec) bool { return s.HostUsers != nil && !*s.HostUsers }, nil},
	{"spec.resourceClaims", func(s *corev1.PodSpec) bool { return len(s.ResourceClaims) > 0 }, nil},
	{"spec.resources (the engine must be local and use cgroupfs)", func(s *corev1.PodSpec) bool { return s.Resources != nil },
		func(h Host) bool { return h.PodGroups }},
	{"spec.resources.claims", func(s *corev1.PodSpec) bool { return s.Resources != nil && len(s.Resources.Claims) > 0 }, nil},
	{"spec.securityContext.windowsOptions", func(s *corev1.PodSpec) bool {
		return s.SecurityContext != nil && s.SecurityContext.WindowsOptions != nil
	}, nil},
	{"spec.securityContext.seLinuxOptions without SELinux", func(s *corev1.PodSpec) bool {
		return s.SecurityContext != nil && s.SecurityContext.SELinuxOptions != nil
	}, func(h Host) bool { return h.SELinux }},
}

// unsupportedIn is the same for each container.
var unsupportedIn = []struct {
	Field string
	Set   func(*corev1.Container) bool
	Can   func(Host) bool
}{
	{"resources.claims", func(c *corev1.Container) bool { return len(c.Resources.Claims) > 0 }, nil},
	{"securityContext.windowsOptions", func(c *corev1.Container) bool {
		return c.SecurityContext != nil && c.SecurityContext.WindowsOptions != nil
	}, nil},
	{"securityContext.seLinuxOptions without SELinux", func(c *corev1.Container) bool {
		return c.SecurityContext != nil && c.SecurityContext.SELinuxOptions != nil
	}, func(h Host) bool { return h.SELinux }},
	{"volumeMounts.recursiveReadOnly: Enabled with a kernel before 5.12", func(c *corev1.Container) bool {
		return anyMount(c, func(m corev1.VolumeMount) bool {
			return m.RecursiveReadOnly != nil && *m.RecursiveReadOnly == corev1.RecursiveReadOnlyEnabled
		})
	}, func(Host) bool { return volume.RecursivelyReadOnly() }},
	{"volumeMounts.bindMountOptions", func(c *corev1.Container) bool {
		return anyMount(c, func(m corev1.VolumeMount) bool { return len(m.BindMountOptions) > 0 })
	}, nil},
}

func anyMount(c *corev1.Container, is func(corev1.VolumeMount) bool) bool {
	return slices.ContainsFunc(c.VolumeMounts, is)
}

// Unsupported says what in a pod's spec cannot be done on this host; empty when all can.
func Unsupported(pod *corev1.Pod, host Host) string {
	var fields []string
	for _, u := range unsupported {
		if u.Set(&pod.Spec) && (u.Can == nil || !u.Can(host)) {
			fields = append(fields, u.Field)
		}
	}
	all := allContainers(pod)
	for _, c := range ephemeralContainers(pod) {
		all = append(all, &c)
	}
	for _, c := range all {
		for _, u := range unsupportedIn {
			if u.Set(c) && (u.Can == nil || !u.Can(host)) {
				fields = append(fields, fmt.Sprintf("%s of container %s", u.Field, c.Name))
			}
		}
	}
	for i := range pod.Spec.Volumes {
		if t := volume.Unsupported(&pod.Spec.Volumes[i]); t != "" {
			fields = append(fields, fmt.Sprintf("volume type %s of volume %s", t, pod.Spec.Volumes[i].Name))
		}
	}
	if len(fields) == 0 {
		return ""
	}
	return "this node's agent does not support " + strings.Join(fields, ", ")
}
