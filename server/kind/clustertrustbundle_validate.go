package kind

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// maxTrustBundle is how many bytes of certificates a bundle may hold.
const maxTrustBundle = 1 << 20

func validateClusterTrustBundle(b *certificatesv1.ClusterTrustBundle) field.ErrorList {
	return append(validateBundleOwner(b), validateTrustAnchors(b.Spec.TrustBundle, field.NewPath("spec", "trustBundle"))...)
}

func validateClusterTrustBundleUpdate(updated, old *certificatesv1.ClusterTrustBundle) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec.SignerName, old.Spec.SignerName, field.NewPath("spec", "signerName"))
}

// validateBundleOwner checks whose a bundle is, which its name must say.
func validateBundleOwner(b *certificatesv1.ClusterTrustBundle) field.ErrorList {
	errs := invalid(field.NewPath("metadata", "name"), b.Name, nameProblems(b.Name, b.Spec.SignerName))
	if b.Spec.SignerName != "" {
		errs = append(errs, validateSignerName(b.Spec.SignerName, field.NewPath("spec", "signerName"))...)
	}
	return errs
}

// nameProblems says what is wrong with the name of a signer's bundle beyond what bundleName sees.
func nameProblems(name, signer string) []string {
	prefix := strings.ReplaceAll(signer, "/", ":") + ":"
	switch {
	case signer == "" && strings.Contains(name, ":"):
		return []string{`ClusterTrustBundle without signer name must not have ":" in its name`}
	case signer == "":
		return nil
	case !strings.HasPrefix(name, prefix):
		return []string{fmt.Sprintf("ClusterTrustBundle for signerName %s must be named with prefix %s", signer, prefix)}
	case strings.Contains(strings.TrimPrefix(name, prefix), ":"):
		return apivalidation.NameIsDNSSubdomain(strings.TrimPrefix(name, prefix), false)
	}
	return nil
}

// validateTrustAnchors wants certificates of authorities, each once, and nothing else.
func validateTrustAnchors(text string, path *field.Path) field.ErrorList {
	if len(text) > maxTrustBundle {
		return field.ErrorList{field.TooLong(path, "", maxTrustBundle)}
	}
	var errs field.ErrorList
	wrong := func(message string, values ...any) {
		errs = append(errs, field.Invalid(path, "<value omitted>", fmt.Sprintf(message, values...)))
	}
	at := map[string][]int{}
	i := 0
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if problem := anchorProblem(block); problem != "" {
			wrong("entry %d %s", i, problem)
		}
		at[string(block.Bytes)] = append(at[string(block.Bytes)], i)
		i++
	}
	if len(errs) > 0 {
		return errs
	}
	if len(at) == 0 {
		wrong("at least one trust anchor must be provided")
	}
	for _, entries := range slices.SortedFunc(maps.Values(at), slices.Compare) {
		if len(entries) > 1 {
			wrong("duplicate trust anchor (indices %v)", entries)
		}
	}
	return errs
}

// anchorProblem says why a block is no certificate that others can be trusted for.
func anchorProblem(block *pem.Block) string {
	if block.Type != "CERTIFICATE" {
		return "has bad block type: " + block.Type
	}
	if len(block.Headers) > 0 {
		return "has PEM block headers"
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return "does not parse as X.509"
	case !certificate.IsCA:
		return "does not have the CA bit set"
	case !certificate.BasicConstraintsValid:
		return "has invalid basic constraints"
	}
	return ""
}

// validateBundleProjection checks a volume's reference to one bundle by name, or to those of a signer.
func validateBundleProjection(p *corev1.ClusterTrustBundleProjection, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch {
	case p.Name != nil && p.SignerName != nil:
		errs = append(errs, field.Invalid(path, p, "only one of name and signerName may be used"))
	case p.Name != nil:
		errs = append(errs, validateBundleReference(*p.Name, path.Child("name"))...)
		if p.LabelSelector != nil {
			errs = append(errs, field.Invalid(path.Child("labelSelector"), p.LabelSelector, "labelSelector must be unset if name is specified"))
		}
	case p.SignerName != nil:
		if *p.SignerName == "" {
			errs = append(errs, field.Required(path.Child("signerName"), "must be a valid signer name"))
		}
		errs = append(errs, validateSignerName(*p.SignerName, path.Child("signerName"))...)
		errs = append(errs, metav1validation.ValidateLabelSelector(p.LabelSelector, metav1validation.LabelSelectorValidationOptions{}, path.Child("labelSelector"))...)
	default:
		errs = append(errs, field.Required(path, "either name or signerName must be specified"))
	}
	return append(errs, itemPath(p.Path, path.Child("path"))...)
}

func validateBundleReference(name string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if name == "" {
		errs = append(errs, field.Required(path, "must be a valid object name"))
	}
	signer := ""
	if last := strings.LastIndex(name, ":"); last >= 0 {
		signer = strings.ReplaceAll(name[:last], ":", "/")
	}
	for _, problem := range append(bundleName(name, false), nameProblems(name, signer)...) {
		errs = append(errs, field.Invalid(path, name, "not a valid clustertrustbundlename: "+problem))
	}
	return errs
}
