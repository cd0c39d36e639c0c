package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateOS refuses a pod of one operating system what only the other has, and signals that it does not know.
func validateOS(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	of := func(*corev1.Container, *field.Path) field.ErrorList { return nil }
	switch {
	case s.OS == nil:
	case s.OS.Name == corev1.Linux:
		errs = append(errs, refuse(windowsOptions(s.SecurityContext), path.Child("securityContext"), notForLinux)...)
		of = linuxContainer
	case s.OS.Name == corev1.Windows:
		errs = append(errs, refuse(linuxFields(s), path, notForWindows)...)
		errs = append(errs, refuse(linuxContext(s.SecurityContext), path.Child("securityContext"), notForWindows)...)
		of = windowsContainer
	}
	for _, list := range []struct {
		field string
		in    []corev1.Container
	}{{"initContainers", s.InitContainers}, {"containers", s.Containers}} {
		for i := range list.in {
			c, at := &list.in[i], path.Child(list.field).Index(i)
			errs = append(errs, of(c, at.Child("securityContext"))...)
			if c.Lifecycle != nil {
				errs = append(errs, validateStopSignal(c.Lifecycle.StopSignal, s.OS, at.Child("lifecycle", "stopSignal"))...)
			}
		}
	}
	return errs
}

const (
	notForLinux   = "windows options cannot be set for a linux pod"
	notForWindows = "cannot be set for a windows pod"
)

func linuxContainer(c *corev1.Container, path *field.Path) field.ErrorList {
	sc := c.SecurityContext
	return refuse([]refusal{{"windowsOptions", sc != nil && sc.WindowsOptions != nil}}, path, notForLinux)
}

func windowsOptions(sc *corev1.PodSecurityContext) []refusal {
	return []refusal{{"windowsOptions", sc != nil && sc.WindowsOptions != nil}}
}

func windowsContainer(c *corev1.Container, path *field.Path) field.ErrorList {
	sc := c.SecurityContext
	if sc == nil {
		return nil
	}
	return refuse([]refusal{
		{"appArmorProfile", sc.AppArmorProfile != nil},
		{"seLinuxOptions", sc.SELinuxOptions != nil},
		{"seccompProfile", sc.SeccompProfile != nil},
		{"capabilities", sc.Capabilities != nil},
		{"readOnlyRootFilesystem", sc.ReadOnlyRootFilesystem != nil},
		{"privileged", sc.Privileged != nil},
		{"allowPrivilegeEscalation", sc.AllowPrivilegeEscalation != nil},
		{"procMount", sc.ProcMount != nil},
		{"runAsUser", sc.RunAsUser != nil},
		{"runAsGroup", sc.RunAsGroup != nil},
	}, path, notForWindows)
}

func linuxFields(s *corev1.PodSpec) []refusal {
	return []refusal{
		{"hostUsers", s.HostUsers != nil},
		{"hostPID", s.HostPID},
		{"hostIPC", s.HostIPC},
		{"shareProcessNamespace", s.ShareProcessNamespace != nil},
	}
}

func linuxContext(sc *corev1.PodSecurityContext) []refusal {
	if sc == nil {
		return nil
	}
	return []refusal{
		{"appArmorProfile", sc.AppArmorProfile != nil},
		{"seLinuxOptions", sc.SELinuxOptions != nil},
		{"seccompProfile", sc.SeccompProfile != nil},
		{"fsGroup", sc.FSGroup != nil},
		{"fsGroupChangePolicy", sc.FSGroupChangePolicy != nil},
		{"sysctls", len(sc.Sysctls) > 0},
		{"runAsUser", sc.RunAsUser != nil},
		{"runAsGroup", sc.RunAsGroup != nil},
		{"supplementalGroups", sc.SupplementalGroups != nil},
		{"supplementalGroupsPolicy", sc.SupplementalGroupsPolicy != nil},
		{"seLinuxChangePolicy", sc.SELinuxChangePolicy != nil},
	}
}
