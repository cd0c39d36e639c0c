package kind

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
)

// validateContainers checks the containers of all sorts: names are unique among them all.
func validateContainers(s *corev1.PodSpec, volumes volumeSet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.Containers) == 0 {
		errs = append(errs, field.Required(path.Child("containers"), ""))
	}
	names := unique[string]{}
	each := func(list string, i int, c *corev1.Container) {
		at := path.Child(list).Index(i)
		errs = append(errs, validateContainer(c, volumes, at)...)
		errs = append(errs, names.check(at.Child("name"), c.Name, c.Name)...)
		if s.HostNetwork {
			errs = append(errs, hostNetworkPorts(c.Ports, at.Child("ports"))...)
		}
	}
	for i := range s.Containers {
		each("containers", i, &s.Containers[i])
		at := path.Child("containers").Index(i)
		if c := &s.Containers[i]; c.RestartPolicy != nil && len(c.RestartPolicyRules) == 0 {
			errs = append(errs, maybeOneOf(at.Child("restartPolicy"), c.RestartPolicy, containerRestartPolicies...)...)
		}
		errs = append(errs, validateProbes(&s.Containers[i], s.TerminationGracePeriodSeconds, at)...)
	}
	for i := range s.InitContainers {
		each("initContainers", i, &s.InitContainers[i])
		errs = append(errs, validateInitContainer(&s.InitContainers[i], s.TerminationGracePeriodSeconds, path.Child("initContainers").Index(i))...)
	}
	for i := range s.EphemeralContainers {
		each("ephemeralContainers", i, (*corev1.Container)(&s.EphemeralContainers[i].EphemeralContainerCommon))
	}
	return append(errs, hostPortConflicts(s.Containers, path.Child("containers"))...)
}

var containerRestartPolicies = []corev1.ContainerRestartPolicy{
	corev1.ContainerRestartPolicyAlways, corev1.ContainerRestartPolicyNever, corev1.ContainerRestartPolicyOnFailure,
}

func validateContainer(c *corev1.Container, volumes volumeSet, path *field.Path) field.ErrorList {
	errs := named(path.Child("name"), c.Name, validation.IsDNS1123Label)
	errs = append(errs, validateImage(c.Image, path.Child("image"))...)
	errs = append(errs, oneOf(path.Child("imagePullPolicy"), c.ImagePullPolicy,
		corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
	errs = append(errs, oneOf(path.Child("terminationMessagePolicy"), c.TerminationMessagePolicy,
		corev1.TerminationMessageFallbackToLogsOnError, corev1.TerminationMessageReadFile)...)
	errs = append(errs, validatePorts(c.Ports, path.Child("ports"))...)
	errs = append(errs, validateEnv(c.Env, path.Child("env"))...)
	errs = append(errs, validateEnvFrom(c.EnvFrom, path.Child("envFrom"))...)
	errs = append(errs, validateMounts(c, volumes, path)...)
	errs = append(errs, validateResources(&c.Resources, path.Child("resources"))...)
	return append(errs, validateSecurityContext(c.SecurityContext, path.Child("securityContext"))...)
}

func validateImage(image string, path *field.Path) field.ErrorList {
	switch {
	case image == "":
		return field.ErrorList{field.Required(path, "")}
	case strings.TrimSpace(image) != image:
		return field.ErrorList{field.Invalid(path, image, "must not have leading or trailing whitespace")}
	default:
		return nil
	}
}

// validateInitContainer refuses what makes no sense for a container that ends before the others start.
func validateInitContainer(c *corev1.Container, grace *int64, path *field.Path) field.ErrorList {
	errs := maybeOneOf(path.Child("restartPolicy"), c.RestartPolicy, containerRestartPolicies...)
	if isSidecar(c) {
		return append(errs, validateProbes(c, grace, path)...)
	}
	for _, set := range []struct {
		field string
		given bool
	}{
		{"lifecycle", c.Lifecycle != nil},
		{"livenessProbe", c.LivenessProbe != nil},
		{"readinessProbe", c.ReadinessProbe != nil},
		{"startupProbe", c.StartupProbe != nil},
	} {
		if set.given {
			errs = append(errs, field.Forbidden(path.Child(set.field), "may not be set for init containers without restartPolicy=Always"))
		}
	}
	return errs
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
