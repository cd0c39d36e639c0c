package kind

import (
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateIngress(i *networkingv1.Ingress) field.ErrorList {
	var errs field.ErrorList
	spec, path := &i.Spec, field.NewPath("spec")
	if len(spec.Rules) == 0 && spec.DefaultBackend == nil {
		errs = append(errs, field.Invalid(path, spec.Rules, "either `defaultBackend` or `rules` must be specified"))
	}
	if spec.DefaultBackend != nil {
		errs = append(errs, validateIngressBackend(spec.DefaultBackend, path.Child("defaultBackend"))...)
	}
	for i := range spec.Rules {
		errs = append(errs, validateIngressRule(&spec.Rules[i], path.Child("rules").Index(i))...)
	}
	for i := range spec.TLS {
		errs = append(errs, validateIngressTLS(&spec.TLS[i], path.Child("tls").Index(i))...)
	}
	if class := spec.IngressClassName; class != nil {
		errs = append(errs, invalid(path.Child("ingressClassName"), *class, apivalidation.NameIsDNSSubdomain(*class, false))...)
	}
	return errs
}

// validateIngressClassAnnotation checks that a new ingress does not name two classes.
func validateIngressClassAnnotation(i *networkingv1.Ingress) field.ErrorList {
	annotation, set := i.Annotations[IngressClassAnnotation]
	if class := i.Spec.IngressClassName; !set || class == nil || *class == annotation {
		return nil
	}
	return field.ErrorList{field.Invalid(field.NewPath("annotations").Child(IngressClassAnnotation), annotation,
		"must match `ingressClassName` when both are specified")}
}

func validateIngressTLS(tls *networkingv1.IngressTLS, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, host := range tls.Hosts {
		errs = append(errs, hostOrWildcard(path.Child("hosts").Index(i), host)...)
	}
	secret := func(name string) []string { return apivalidation.NameIsDNSSubdomain(name, false) }
	return append(errs, maybeNamed(path.Child("secretName"), tls.SecretName, secret)...)
}

func hostOrWildcard(path *field.Path, host string) field.ErrorList {
	if strings.Contains(host, "*") {
		return invalid(path, host, validation.IsWildcardDNS1123Subdomain(host))
	}
	return invalid(path, host, validation.IsDNS1123Subdomain(host))
}

func validateIngressRule(rule *networkingv1.IngressRule, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if rule.Host != "" {
		errs = append(notAddress(path.Child("host"), rule.Host), hostOrWildcard(path.Child("host"), rule.Host)...)
	}
	if rule.HTTP == nil {
		return errs
	}
	at := path.Child("http", "paths")
	if len(rule.HTTP.Paths) == 0 {
		errs = append(errs, field.Required(at, ""))
	}
	for i := range rule.HTTP.Paths {
		errs = append(errs, validateHTTPPath(&rule.HTTP.Paths[i], at.Index(i))...)
	}
	return errs
}

func validateHTTPPath(p *networkingv1.HTTPIngressPath, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p.PathType == nil {
		return field.ErrorList{field.Required(path.Child("pathType"), "pathType must be specified")}
	}
	at := path.Child("path")
	switch *p.PathType {
	case networkingv1.PathTypeExact, networkingv1.PathTypePrefix:
		errs = validateExactPath(p.Path, at)
	case networkingv1.PathTypeImplementationSpecific:
		if p.Path != "" {
			errs = absolutePath(p.Path, at)
		}
	default:
		errs = maybeOneOf(path.Child("pathType"), p.PathType,
			networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific, networkingv1.PathTypePrefix)
	}
	return append(errs, validateIngressBackend(&p.Backend, path.Child("backend"))...)
}

// validateExactPath checks that nothing can be made of a path but what it says.
func validateExactPath(text string, path *field.Path) field.ErrorList {
	errs := absolutePath(text, path)
	for _, sequence := range []string{"//", "/./", "/../", "%2f", "%2F"} {
		if strings.Contains(text, sequence) {
			errs = append(errs, field.Invalid(path, text, fmt.Sprintf("must not contain '%s'", sequence)))
		}
	}
	for _, suffix := range []string{"/..", "/."} {
		if strings.HasSuffix(text, suffix) {
			errs = append(errs, field.Invalid(path, text, fmt.Sprintf("cannot end with '%s'", suffix)))
		}
	}
	return errs
}

func absolutePath(text string, path *field.Path) field.ErrorList {
	if strings.HasPrefix(text, "/") {
		return nil
	}
	return field.ErrorList{field.Invalid(path, text, "must be an absolute path")}
}

func validateIngressStatus(updated, _ *networkingv1.Ingress) field.ErrorList {
	var errs field.ErrorList
	for i, point := range updated.Status.LoadBalancer.Ingress {
		at := field.NewPath("status", "loadBalancer", "ingress").Index(i)
		errs = append(errs, validateBalancerIP(at.Child("ip"), point.IP)...)
		errs = append(errs, validateBalancerName(at.Child("hostname"), point.Hostname)...)
	}
	return errs
}
