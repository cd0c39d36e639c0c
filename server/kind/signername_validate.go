package kind

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// A signer is named by a domain and a path of subdomains. The path leaves room for a label and a subdomain.
const (
	maxSignerDomain = validation.DNS1123SubdomainMaxLength
	maxSignerName   = maxSignerDomain + 1 + validation.DNS1123SubdomainMaxLength + validation.DNS1123LabelMaxLength + 1
)

// legacySigner signed what named no signer, in versions of the API that are gone.
const legacySigner = "kubernetes.io/legacy-unknown"

func validateSignerName(name string, path *field.Path) field.ErrorList {
	domain, rest, _ := strings.Cut(name, "/")
	switch {
	case name == legacySigner:
		return field.ErrorList{field.Invalid(path, name, "the legacy signerName is not allowed via this API version")}
	case name == "":
		return field.ErrorList{field.Required(path, "")}
	case strings.Count(name, "/") != 1:
		return field.ErrorList{field.Invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")}
	}
	var errs field.ErrorList
	if len(domain) > maxSignerDomain {
		errs = append(errs, field.TooLong(path, "", maxSignerDomain))
	}
	labels := strings.Split(domain, ".")
	errs = append(errs, validateSegment(domain, labels, validation.IsDNS1123Label, path)...)
	if len(labels) < 2 {
		errs = append(errs, field.Invalid(path, domain, "should be a domain with at least two segments separated by dots"))
	}
	errs = append(errs, validateSegment(rest, strings.Split(rest, "."), validation.IsDNS1123Subdomain, path)...)
	if len(name) > maxSignerName {
		errs = append(errs, field.TooLong(path, "", maxSignerName))
	}
	return errs
}

// validateSegment checks the labels of a segment, up to the first that is wrong.
func validateSegment(segment string, labels []string, check func(string) []string, path *field.Path) field.ErrorList {
	for _, label := range labels {
		if wrong := check(label); len(wrong) > 0 {
			var errs field.ErrorList
			for _, message := range wrong {
				errs = append(errs, field.Invalid(path, segment, fmt.Sprintf("validating label %q: %s", label, message)))
			}
			return errs
		}
	}
	return nil
}
