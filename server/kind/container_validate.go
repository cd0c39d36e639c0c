package kind

import (
	"maps"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// lasting checks what depends on how long a container runs. grace is how long it is given to stop, in seconds.
type lasting func(c *corev1.Container, grace *int64, path *field.Path) field.ErrorList

// validateContainers checks the containers of all sorts: names are unique among them all.
func validateContainers(s *corev1.PodSpec, volumes volumeSet, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(s.Containers) == 0 {
		errs = append(errs, field.Required(path.Child("containers"), ""))
	}
	names := unique[string]{}
	each := func(at *field.Path, c *corev1.Container, sort lasting) {
		errs = append(errs, validateContainer(c, volumes, at)...)
		errs = append(errs, validateResizePolicy(c, s.RestartPolicy, at)...)
		errs = append(errs, names.check(at.Child("name"), c.Name, c.Name)...)
		errs = append(errs, sort(c, s.TerminationGracePeriodSeconds, at)...)
		if s.HostNetwork {
			errs = append(errs, hostNetworkPorts(c.Ports, at.Child("ports"))...)
		}
	}
	for i := range s.Containers {
		each(path.Child("containers").Index(i), &s.Containers[i], validateProbes)
	}
	for i := range s.InitContainers {
		each(path.Child("initContainers").Index(i), &s.InitContainers[i], validateInitContainer)
	}
	others := maps.Clone(names)
	for i := range s.EphemeralContainers {
		c := &s.EphemeralContainers[i]
		each(path.Child("ephemeralContainers").Index(i), (*corev1.Container)(&c.EphemeralContainerCommon),
			func(_ *corev1.Container, _ *int64, at *field.Path) field.ErrorList {
				return validateEphemeral(c, others, at)
			})
	}
	return append(errs, hostPortConflicts(s.Containers, path.Child("containers"))...)
}

func validateContainer(c *corev1.Container, volumes volumeSet, path *field.Path) field.ErrorList {
	errs := named(path.Child("name"), c.Name, validation.IsDNS1123Label)
	errs = append(errs, validateImage(c.Image, path.Child("image"))...)
	errs = append(errs, oneOf(path.Child("imagePullPolicy"), c.ImagePullPolicy,
		corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullNever)...)
	errs = append(errs, oneOf(path.Child("terminationMessagePolicy"), c.TerminationMessagePolicy,
		corev1.TerminationMessageFallbackToLogsOnError, corev1.TerminationMessageReadFile)...)
	errs = append(errs, validateRestart(c, path)...)
	errs = append(errs, validatePorts(c.Ports, path.Child("ports"))...)
	errs = append(errs, validateEnv(c.Env, path.Child("env"))...)
	errs = append(errs, validateEnvFiles(c.Env, volumes, path.Child("env"))...)
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
	if isSidecar(c) {
		return validateProbes(c, grace, path)
	}
	errs := refuse([]refusal{
		{"lifecycle", c.Lifecycle != nil},
		{"livenessProbe", c.LivenessProbe != nil},
		{"readinessProbe", c.ReadinessProbe != nil},
		{"startupProbe", c.StartupProbe != nil},
	}, path, "may not be set for init containers without restartPolicy=Always")
	for i, p := range c.ResizePolicy {
		if restartsToResize(p) {
			at := path.Child("resizePolicy").Index(i).Child("restartPolicy")
			errs = append(errs, field.Invalid(at, p.RestartPolicy, "must not be set to 'RestartContainer' for non-sidecar initContainers"))
		}
	}
	return errs
}
