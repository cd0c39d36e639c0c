package pod

import corev1 "k8s.io/api/core/v1"

// Inadmissible says why a pod cannot run on a host, in the kubelet's words; the zero value when it can.
func Inadmissible(pod *corev1.Pod, host Host, sysctls Sysctls) Verdict {
	if os := pod.Spec.OS; os != nil && os.Name != corev1.Linux {
		return Verdict{Reason: "PodOSNotSupported", Message: "Failed to admit pod as the OS field doesn't match node OS"}
	}
	if why := sysctls.forbids(&pod.Spec); why != "" {
		return Verdict{Reason: "SysctlForbidden", Message: "forbidden sysctl: " + why}
	}
	if !host.AppArmor && wantsAppArmor(&pod.Spec) {
		return Verdict{Reason: "AppArmor", Message: "Cannot enforce AppArmor: AppArmor is not enabled on the host"}
	}
	return Verdict{}
}

// wantsAppArmor says whether any container is to be confined by a profile of AppArmor.
func wantsAppArmor(s *corev1.PodSpec) bool {
	var general *corev1.AppArmorProfile
	if s.SecurityContext != nil {
		general = s.SecurityContext.AppArmorProfile
	}
	wants := func(c *corev1.SecurityContext) bool {
		profile := general
		if c != nil && c.AppArmorProfile != nil {
			profile = c.AppArmorProfile
		}
		return profile != nil && profile.Type != corev1.AppArmorProfileTypeUnconfined
	}
	for _, list := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range list {
			if wants(list[i].SecurityContext) {
				return true
			}
		}
	}
	for i := range s.EphemeralContainers {
		if wants(s.EphemeralContainers[i].SecurityContext) {
			return true
		}
	}
	return false
}
