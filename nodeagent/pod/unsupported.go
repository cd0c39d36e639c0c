package pod

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/volume"
)

// unsupportedReason is the status reason and the event of a pod that asks for what this agent cannot do.
const unsupportedReason = "Unsupported"

// unsupported lists the fields of a pod's spec that are refused when set. Whatever is neither here nor carried out is
// for others than the node: the scheduler, admission, controllers.
var unsupported = []struct {
	Field string
	Set   func(*corev1.PodSpec) bool
}{
	{"spec.hostUsers: false", func(s *corev1.PodSpec) bool { return s.HostUsers != nil && !*s.HostUsers }},
	{"spec.resourceClaims", func(s *corev1.PodSpec) bool { return len(s.ResourceClaims) > 0 }},
	{"spec.resources", func(s *corev1.PodSpec) bool { return s.Resources != nil }},
	{"spec.os.name: windows", func(s *corev1.PodSpec) bool { return s.OS != nil && s.OS.Name != "" && s.OS.Name != corev1.Linux }},
	{"spec.securityContext.windowsOptions", func(s *corev1.PodSpec) bool {
		return s.SecurityContext != nil && s.SecurityContext.WindowsOptions != nil
	}},
	{"spec.securityContext.supplementalGroupsPolicy: Strict", func(s *corev1.PodSpec) bool {
		sc := s.SecurityContext
		return sc != nil && sc.SupplementalGroupsPolicy != nil && *sc.SupplementalGroupsPolicy == corev1.SupplementalGroupsPolicyStrict
	}},
}

// unsupportedIn is the same for each container.
var unsupportedIn = []struct {
	Field string
	Set   func(*corev1.Container) bool
}{
	{"volumeDevices", func(c *corev1.Container) bool { return len(c.VolumeDevices) > 0 }},
	{"resources.claims", func(c *corev1.Container) bool { return len(c.Resources.Claims) > 0 }},
	{"securityContext.windowsOptions", func(c *corev1.Container) bool {
		return c.SecurityContext != nil && c.SecurityContext.WindowsOptions != nil
	}},
	{"restartPolicyRules.action: RestartAllContainers", func(c *corev1.Container) bool {
		for _, r := range c.RestartPolicyRules {
			if r.Action == corev1.ContainerRestartRuleActionRestartAllContainers {
				return true
			}
		}
		return false
	}},
	{"volumeMounts.recursiveReadOnly: Enabled", func(c *corev1.Container) bool {
		for _, m := range c.VolumeMounts {
			if m.RecursiveReadOnly != nil && *m.RecursiveReadOnly == corev1.RecursiveReadOnlyEnabled {
				return true
			}
		}
		return false
	}},
	{"volumeMounts.bindMountOptions", func(c *corev1.Container) bool {
		for _, m := range c.VolumeMounts {
			if len(m.BindMountOptions) > 0 {
				return true
			}
		}
		return false
	}},
}

// Unsupported says what in a pod's spec this agent cannot do; empty when it can do all.
func Unsupported(pod *corev1.Pod) string {
	var fields []string
	for _, u := range unsupported {
		if u.Set(&pod.Spec) {
			fields = append(fields, u.Field)
		}
	}
	all := allContainers(pod)
	for _, c := range ephemeralContainers(pod) {
		all = append(all, &c)
	}
	for _, c := range all {
		for _, u := range unsupportedIn {
			if u.Set(c) {
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
