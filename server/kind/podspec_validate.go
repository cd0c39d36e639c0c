package kind

import (
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validatePod(p *corev1.Pod) field.ErrorList {
	spec := field.NewPath("spec")
	return append(validatePodSpec(&p.Spec, spec), validateEphemeralClaims(p.Name, p.Spec.Volumes, spec.Child("volumes"))...)
}

// validateNewPod refuses what pods get later only.
func validateNewPod(p *corev1.Pod) field.ErrorList {
	if len(p.Spec.EphemeralContainers) == 0 {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec", "ephemeralContainers"), "cannot be set on create")}
}

// validatePodTemplate checks what a workload makes pods from.
func validatePodTemplate(t *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	meta := path.Child("metadata")
	errs := metav1validation.ValidateLabels(t.Labels, meta.Child("labels"))
	errs = append(errs, apivalidation.ValidateAnnotations(t.Annotations, meta.Child("annotations"))...)
	if len(t.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(path.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
	}
	return append(errs, validatePodSpec(&t.Spec, path.Child("spec"))...)
}

func validatePodSpec(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	volumes, errs := validateVolumes(s.Volumes, path.Child("volumes"))
	errs = append(errs, validateContainers(s, volumes, path)...)
	errs = append(errs, validateRunning(s, path)...)
	errs = append(errs, validatePodSecurity(s, path)...)
	errs = append(errs, validatePlacement(s, path)...)
	errs = append(errs, validateHostAliases(s.HostAliases, path.Child("hostAliases"))...)
	errs = append(errs, validateDNS(s, path)...)
	if s.Resources != nil {
		errs = append(errs, validateResources(s.Resources, path.Child("resources"))...)
	}
	errs = append(errs, validateOS(s, path)...)
	return append(errs, validatePodNames(s, path)...)
}

// validateRunning checks how long the pod runs, and when it is started again.
func validateRunning(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	errs := oneOf(path.Child("restartPolicy"), s.RestartPolicy,
		corev1.RestartPolicyAlways, corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure)
	errs = append(errs, maybeIn(path.Child("activeDeadlineSeconds"), s.ActiveDeadlineSeconds, positiveInt32)...)
	errs = append(errs, maybeOneOf(path.Child("preemptionPolicy"), s.PreemptionPolicy,
		corev1.PreemptLowerPriority, corev1.PreemptNever)...)
	if s.OS != nil {
		errs = append(errs, oneOf(path.Child("os", "name"), s.OS.Name, corev1.Linux, corev1.Windows)...)
	}
	return errs
}

// validatePodNames checks the names that the pod has, and those of other objects.
func validatePodNames(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	errs := maybeNamed(path.Child("hostname"), s.Hostname, validation.IsDNS1123Label)
	errs = append(errs, maybeNamed(path.Child("subdomain"), s.Subdomain, validation.IsDNS1123Label)...)
	errs = append(errs, validateHostname(s, path)...)
	for _, name := range []struct{ field, value string }{
		{"serviceAccountName", s.ServiceAccountName},
		{"nodeName", s.NodeName},
		{"priorityClassName", s.PriorityClassName},
	} {
		errs = append(errs, maybeNamed(path.Child(name.field), name.value, validation.IsDNS1123Subdomain)...)
	}
	if s.RuntimeClassName != nil {
		errs = append(errs, invalid(path.Child("runtimeClassName"), *s.RuntimeClassName, validation.IsDNS1123Subdomain(*s.RuntimeClassName))...)
	}
	for i, gate := range s.ReadinessGates {
		at := path.Child("readinessGates").Index(i).Child("conditionType")
		errs = append(errs, invalid(at, string(gate.ConditionType), validation.IsQualifiedName(string(gate.ConditionType)))...)
	}
	if s.NodeName != "" && len(s.SchedulingGates) > 0 {
		errs = append(errs, field.Forbidden(path.Child("nodeName"), "cannot be set until all schedulingGates have been cleared"))
	}
	seen := unique[string]{}
	for i, gate := range s.SchedulingGates {
		at := path.Child("schedulingGates").Index(i)
		errs = append(errs, invalid(at, gate.Name, validation.IsQualifiedName(gate.Name))...)
		errs = append(errs, seen.check(at, gate.Name, gate.Name)...)
	}
	return errs
}

// maxHostname is what Linux allows for a machine's name.
const maxHostname = 64

// validateHostname checks the name that a pod has in place of any other.
func validateHostname(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	if s.HostnameOverride == nil {
		return nil
	}
	path = path.Child("hostnameOverride")
	var errs field.ErrorList
	if s.SetHostnameAsFQDN != nil && *s.SetHostnameAsFQDN {
		errs = append(errs, field.Forbidden(path, "may not be specified when setHostnameAsFQDN is true"))
	}
	if s.HostNetwork {
		errs = append(errs, field.Forbidden(path, "may not be specified when hostNetwork is true"))
	}
	if len(*s.HostnameOverride) > maxHostname {
		errs = append(errs, field.TooLong(path, "", maxHostname))
	}
	return append(errs, invalid(path, *s.HostnameOverride, validation.IsDNS1123Subdomain(*s.HostnameOverride))...)
}

func validateHostAliases(aliases []corev1.HostAlias, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, alias := range aliases {
		errs = append(errs, validation.IsValidIPForLegacyField(path.Index(i).Child("ip"), alias.IP, false, nil)...)
		for j, host := range alias.Hostnames {
			at := path.Index(i).Child("hostnames").Index(j)
			errs = append(errs, invalid(at, host, validation.IsDNS1123Subdomain(host))...)
		}
	}
	return errs
}

const (
	maxNameservers   = 3
	maxSearches      = 32
	maxSearchesChars = 2048
)

func validateDNS(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	errs := oneOf(path.Child("dnsPolicy"), s.DNSPolicy,
		corev1.DNSClusterFirst, corev1.DNSClusterFirstWithHostNet, corev1.DNSDefault, corev1.DNSNone)
	config, at := s.DNSConfig, path.Child("dnsConfig")
	if s.DNSPolicy == corev1.DNSNone && (config == nil || len(config.Nameservers) == 0) {
		if config == nil {
			return append(errs, field.Required(at, "must provide `dnsConfig` when `dnsPolicy` is None"))
		}
		errs = append(errs, field.Required(at.Child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None"))
	}
	if config == nil {
		return errs
	}
	if len(config.Nameservers) > maxNameservers {
		errs = append(errs, field.Invalid(at.Child("nameservers"), config.Nameservers, "must not have more than 3 nameservers"))
	}
	for i, server := range config.Nameservers {
		errs = append(errs, validation.IsValidIPForLegacyField(at.Child("nameservers").Index(i), server, false, nil)...)
	}
	for i, option := range config.Options {
		errs = append(errs, required(at.Child("options").Index(i), option.Name)...)
	}
	return append(errs, validateSearches(config.Searches, at.Child("searches"))...)
}

func validateSearches(searches []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(searches) > maxSearches {
		errs = append(errs, field.Invalid(path, searches, "must not have more than 32 search paths"))
	}
	length := len(searches) - 1 // the spaces between
	for i, domain := range searches {
		length += len(domain)
		if n := len(domain); n > 1 && domain[n-1] == '.' {
			domain = domain[:n-1]
		}
		if domain != "." {
			errs = append(errs, invalid(path.Index(i), domain, validation.IsDNS1123SubdomainWithUnderscore(domain))...)
		}
	}
	if length > maxSearchesChars {
		errs = append(errs, field.Invalid(path, searches, "must not have more than 2048 characters (including spaces) in the search list"))
	}
	return errs
}
