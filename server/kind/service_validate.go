package kind

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxAffinitySeconds is one day.
const maxAffinitySeconds = 86400

func validateService(s *corev1.Service) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateTopologyMode(s)
	if len(s.Spec.Ports) == 0 && !Headless(s) && s.Spec.Type != corev1.ServiceTypeExternalName {
		errs = append(errs, field.Required(path.Child("ports"), ""))
	}
	errs = append(errs, validateServiceType(s, path)...)
	errs = append(errs, validateServicePorts(s.Spec.Ports, path.Child("ports"))...)
	errs = append(errs, metav1validation.ValidateLabels(s.Spec.Selector, path.Child("selector"))...)
	errs = append(errs, validateSessionAffinity(&s.Spec, path)...)
	errs = append(errs, ValidateClusterIPs(s)...)
	for i, ip := range s.Spec.ExternalIPs {
		errs = append(errs, endpointAddress(path.Child("externalIPs").Index(i), ip)...)
	}
	errs = append(errs, oneOf(path.Child("type"), s.Spec.Type,
		corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName, corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort)...)
	errs = append(errs, validateNodePorts(s, path.Child("ports"))...)
	errs = append(errs, uniquePorts(s.Spec.Ports, path.Child("ports"))...)
	errs = append(errs, validateBalancerSpec(s, path)...)
	return append(errs, validateTraffic(s, path)...)
}

// validateTopologyMode checks that an annotation and its former name do not contradict each other.
func validateTopologyMode(s *corev1.Service) field.ErrorList {
	hints, hinted := s.Annotations[corev1.DeprecatedAnnotationTopologyAwareHints]
	mode, set := s.Annotations[corev1.AnnotationTopologyMode]
	if !hinted || !set || hints == mode {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("metadata", "annotations").Key(corev1.AnnotationTopologyMode), mode,
		fmt.Sprintf("must match annotations[%s] when both are specified", corev1.DeprecatedAnnotationTopologyAwareHints))}
}

// validateServiceType checks what a type rules out.
func validateServiceType(s *corev1.Service, path *field.Path) field.ErrorList {
	switch s.Spec.Type {
	case corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort:
		if Headless(s) {
			return field.ErrorList{field.Invalid(path.Child("clusterIPs").Index(0), s.Spec.ClusterIPs[0],
				fmt.Sprintf("may not be set to 'None' for %s services", s.Spec.Type))}
		}
		return nil
	case corev1.ServiceTypeExternalName:
		return validateExternalName(&s.Spec, path)
	}
	return nil
}

// validateExternalName checks a service that is only another name of something elsewhere.
func validateExternalName(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, no := range []struct {
		field string
		set   bool
	}{{"clusterIPs", len(spec.ClusterIPs) > 0}, {"ipFamilies", len(spec.IPFamilies) > 0}, {"ipFamilyPolicy", spec.IPFamilyPolicy != nil}} {
		if no.set {
			errs = append(errs, field.Forbidden(path.Child(no.field), "may not be set for ExternalName services"))
		}
	}
	name := strings.TrimSuffix(spec.ExternalName, ".") // with it the name is fully qualified
	return append(errs, named(path.Child("externalName"), name, validation.IsDNS1123Subdomain)...)
}

func validateSessionAffinity(spec *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	errs := oneOf(path.Child("sessionAffinity"), spec.SessionAffinity, corev1.ServiceAffinityClientIP, corev1.ServiceAffinityNone)
	at, config := path.Child("sessionAffinityConfig"), spec.SessionAffinityConfig
	switch {
	case spec.SessionAffinity == corev1.ServiceAffinityClientIP:
		errs = append(errs, validateAffinityTime(config, at)...)
	case spec.SessionAffinity == corev1.ServiceAffinityNone && config != nil:
		errs = append(errs, field.Forbidden(at, fmt.Sprintf("must not be set when session affinity is %s", corev1.ServiceAffinityNone)))
	}
	return errs
}

func validateAffinityTime(config *corev1.SessionAffinityConfig, path *field.Path) field.ErrorList {
	missing := fmt.Sprintf("when session affinity type is %s", corev1.ServiceAffinityClientIP)
	switch {
	case config == nil:
		return field.ErrorList{field.Required(path, missing)}
	case config.ClientIP == nil:
		return field.ErrorList{field.Required(path.Child("clientIP"), missing)}
	}
	at, seconds := path.Child("clientIP", "timeoutSeconds"), config.ClientIP.TimeoutSeconds
	switch {
	case seconds == nil:
		return field.ErrorList{field.Required(at, missing)}
	case *seconds <= 0 || *seconds > maxAffinitySeconds:
		return field.ErrorList{field.Invalid(at, *seconds, fmt.Sprintf("must be greater than 0 and less than %d", maxAffinitySeconds))}
	}
	return nil
}
