package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validatePodSecurity checks what the containers share, of the node and with each other.
func validatePodSecurity(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.HostPID && ptr.Deref(s.ShareProcessNamespace, false) {
		errs = append(errs, field.Invalid(path.Child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled"))
	}
	if s.HostUsers != nil && !*s.HostUsers {
		errs = append(errs, ownUsers(s, path)...)
	}
	errs = append(errs, validateProcMounts(s, path)...)
	sc, at := s.SecurityContext, path.Child("securityContext")
	if sc == nil {
		return errs
	}
	errs = append(errs, validateUser(sc.RunAsUser, sc.RunAsGroup, at)...)
	errs = append(errs, maybeIn(at.Child("fsGroup"), sc.FSGroup, validation.IsValidGroupID)...)
	for i, group := range sc.SupplementalGroups {
		errs = append(errs, maybeIn(at.Child("supplementalGroups").Index(i), &group, validation.IsValidGroupID)...)
	}
	errs = append(errs, maybeOneOf(at.Child("fsGroupChangePolicy"), sc.FSGroupChangePolicy, corev1.FSGroupChangeAlways, corev1.FSGroupChangeOnRootMismatch)...)
	errs = append(errs, maybeOneOf(at.Child("supplementalGroupsPolicy"), sc.SupplementalGroupsPolicy, corev1.SupplementalGroupsPolicyMerge, corev1.SupplementalGroupsPolicyStrict)...)
	errs = append(errs, maybeOneOf(at.Child("seLinuxChangePolicy"), sc.SELinuxChangePolicy, corev1.SELinuxChangePolicyMountOption, corev1.SELinuxChangePolicyRecursive)...)
	errs = append(errs, validateSeccomp(sc.SeccompProfile, at.Child("seccompProfile"))...)
	errs = append(errs, validateAppArmor(sc.AppArmorProfile, at.Child("appArmorProfile"))...)
	return append(errs, validateSysctls(sc.Sysctls, at.Child("sysctls"))...)
}

// validateProcMounts lets only a pod with users of its own see all of /proc.
func validateProcMounts(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	if !ptr.Deref(s.HostUsers, true) {
		return nil
	}
	var errs field.ErrorList
	check := func(c *corev1.Container, at *field.Path) {
		if sc := c.SecurityContext; sc != nil && ptr.Deref(sc.ProcMount, "") == corev1.UnmaskedProcMount {
			errs = append(errs, field.Invalid(at.Child("securityContext", "procMount"), sc.ProcMount, "`hostUsers` must be false to use `Unmasked`"))
		}
	}
	for i := range s.InitContainers {
		check(&s.InitContainers[i], path.Child("initContainers").Index(i))
	}
	for i := range s.Containers {
		check(&s.Containers[i], path.Child("containers").Index(i))
	}
	for i := range s.EphemeralContainers {
		check((*corev1.Container)(&s.EphemeralContainers[i].EphemeralContainerCommon), path.Child("ephemeralContainers").Index(i))
	}
	return errs
}

// ownUsers refuses the node's other namespaces to a pod that has its own users.
func ownUsers(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, host := range []struct {
		field string
		used  bool
	}{{"hostNetwork", s.HostNetwork}, {"hostPID", s.HostPID}, {"hostIPC", s.HostIPC}} {
		if host.used {
			errs = append(errs, field.Forbidden(path.Child(host.field), "when `hostUsers` is false"))
		}
	}
	return errs
}

func validateUser(user, group *int64, path *field.Path) field.ErrorList {
	errs := maybeIn(path.Child("runAsUser"), user, validation.IsValidUserID)
	return append(errs, maybeIn(path.Child("runAsGroup"), group, validation.IsValidGroupID)...)
}

// validateSecurityContext checks a container's own.
func validateSecurityContext(sc *corev1.SecurityContext, path *field.Path) field.ErrorList {
	if sc == nil {
		return nil
	}
	errs := validateUser(sc.RunAsUser, sc.RunAsGroup, path)
	errs = append(errs, validateSeccomp(sc.SeccompProfile, path.Child("seccompProfile"))...)
	errs = append(errs, validateAppArmor(sc.AppArmorProfile, path.Child("appArmorProfile"))...)
	errs = append(errs, maybeOneOf(path.Child("procMount"), sc.ProcMount, corev1.DefaultProcMount, corev1.UnmaskedProcMount)...)
	if ptr.Deref(sc.AllowPrivilegeEscalation, true) {
		return errs
	}
	if ptr.Deref(sc.Privileged, false) {
		errs = append(errs, field.Invalid(path, sc, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
	}
	if sc.Capabilities != nil {
		for _, c := range sc.Capabilities.Add {
			if c == "CAP_SYS_ADMIN" {
				errs = append(errs, field.Invalid(path, sc, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"))
			}
		}
	}
	return errs
}
