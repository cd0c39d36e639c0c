package kind

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateCertificateSigningRequest(csr *certificatesv1.CertificateSigningRequest) field.ErrorList {
	path := field.NewPath("spec")
	errs := validateRequest(csr.Spec.Request, path.Child("request"))
	errs = append(errs, validateUsages(csr.Spec.Usages, path.Child("usages"))...)
	errs = append(errs, validateSignerName(csr.Spec.SignerName, path.Child("signerName"))...)
	if s := csr.Spec.ExpirationSeconds; s != nil && *s < 600 {
		errs = append(errs, field.Invalid(path.Child("expirationSeconds"), *s, "may not specify a duration less than 600 seconds (10 minutes)"))
	}
	errs = append(errs, validateRequestConditions(csr.Status.Conditions, field.NewPath("status", "conditions"))...)
	if err := checkCertificates(csr.Status.Certificate); err != nil {
		errs = append(errs, field.Invalid(field.NewPath("status", "certificate"), "<certificate data>", err.Error()))
	}
	return errs
}

// ParseCertificateRequest reads the PEM of a PKCS #10 request.
func ParseCertificateRequest(text []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return nil, errors.New("PEM block type must be CERTIFICATE REQUEST")
	}
	return x509.ParseCertificateRequest(block.Bytes)
}

func validateRequest(text []byte, path *field.Path) field.ErrorList {
	request, err := ParseCertificateRequest(text)
	if err == nil {
		err = request.CheckSignature()
	}
	if err == nil {
		return nil
	}
	return field.ErrorList{field.Invalid(path, text, err.Error())}
}

// keyUsages are what keys may be used for, sorted.
var keyUsages = []certificatesv1.KeyUsage{
	certificatesv1.UsageAny, certificatesv1.UsageCertSign, certificatesv1.UsageClientAuth, certificatesv1.UsageCodeSigning,
	certificatesv1.UsageContentCommitment, certificatesv1.UsageCRLSign, certificatesv1.UsageDataEncipherment,
	certificatesv1.UsageDecipherOnly, certificatesv1.UsageDigitalSignature, certificatesv1.UsageEmailProtection,
	certificatesv1.UsageEncipherOnly, certificatesv1.UsageIPsecEndSystem, certificatesv1.UsageIPsecTunnel,
	certificatesv1.UsageIPsecUser, certificatesv1.UsageKeyAgreement, certificatesv1.UsageKeyEncipherment,
	certificatesv1.UsageMicrosoftSGC, certificatesv1.UsageNetscapeSGC, certificatesv1.UsageOCSPSigning,
	certificatesv1.UsageSMIME, certificatesv1.UsageServerAuth, certificatesv1.UsageSigning, certificatesv1.UsageTimestamping,
}

func validateUsages(usages []certificatesv1.KeyUsage, path *field.Path) field.ErrorList {
	if len(usages) == 0 {
		return field.ErrorList{field.Required(path, "")}
	}
	var errs, twice field.ErrorList
	seen := unique[certificatesv1.KeyUsage]{}
	for i, usage := range usages {
		if !slices.Contains(keyUsages, usage) {
			errs = append(errs, field.NotSupported(path.Index(i), usage, slices.Sorted(slices.Values(keyUsages))))
		}
		twice = append(twice, seen.check(path.Index(i), usage, usage)...)
	}
	return append(errs, twice...)
}

// approvalTypes are the conditions of those who approve; with the failure of a signer, they are true or not there.
var (
	approvalTypes = []certificatesv1.RequestConditionType{certificatesv1.CertificateApproved, certificatesv1.CertificateDenied}
	lastingTypes  = append(slices.Clone(approvalTypes), certificatesv1.CertificateFailed)
)

func validateRequestConditions(conditions []certificatesv1.CertificateSigningRequestCondition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := unique[certificatesv1.RequestConditionType]{}
	for i, c := range conditions {
		at := path.Index(i)
		errs = append(errs, required(at.Child("type"), string(c.Type))...)
		statuses := []corev1.ConditionStatus{corev1.ConditionFalse, corev1.ConditionTrue, corev1.ConditionUnknown}
		if slices.Contains(lastingTypes, c.Type) {
			statuses = []corev1.ConditionStatus{corev1.ConditionTrue}
		}
		errs = append(errs, oneOf(at.Child("status"), c.Status, statuses...)...)
		if seen[certificatesv1.CertificateApproved] && c.Type == certificatesv1.CertificateDenied ||
			seen[certificatesv1.CertificateDenied] && c.Type == certificatesv1.CertificateApproved {
			errs = append(errs, field.Invalid(path, c.Type, "Approved and Denied conditions are mutually exclusive").WithOrigin("zeroOrOneOf"))
		}
		errs = append(errs, seen.check(at.Child("type"), c.Type, c.Type)...)
	}
	return errs
}

// checkCertificates reads what a signer gives: nothing, or certificates alone.
func checkCertificates(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	found := false
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("only CERTIFICATE PEM blocks are allowed, found %q", block.Type)
		}
		if len(block.Headers) > 0 {
			return errors.New("no PEM block headers are permitted")
		}
		certificates, err := x509.ParseCertificates(block.Bytes)
		if err != nil {
			return err
		}
		if len(certificates) == 0 {
			return errors.New("found CERTIFICATE PEM block containing 0 certificates")
		}
		found = true
	}
	if !found {
		return errors.New("must contain at least one CERTIFICATE PEM block")
	}
	return nil
}

// validateSigning lets a signer give a certificate, once.
func validateSigning(updated, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	errs := append(validateCertificateSigningRequest(updated), conditionsKept(updated, old)...)
	errs = append(errs, approvalKept(updated, old)...)
	if len(old.Status.Certificate) > 0 && !bytes.Equal(updated.Status.Certificate, old.Status.Certificate) {
		errs = append(errs, field.Forbidden(field.NewPath("status", "certificate"), "updates may not modify existing certificate content"))
	}
	return errs
}

// validateApproval lets a request be approved or denied, for good.
func validateApproval(updated, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	return append(validateCertificateSigningRequest(updated), conditionsKept(updated, old)...)
}

func conditionsKept(updated, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	var errs field.ErrorList
	for _, t := range lastingTypes {
		if len(conditionsOf(&updated.Status, t)) < len(conditionsOf(&old.Status, t)) {
			errs = append(errs, field.Forbidden(field.NewPath("status", "conditions"), fmt.Sprintf("updates may not remove a condition of type %q", t)))
		}
	}
	return errs
}

func approvalKept(updated, old *certificatesv1.CertificateSigningRequest) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("status", "conditions")
	for _, t := range approvalTypes {
		is, was := conditionsOf(&updated.Status, t), conditionsOf(&old.Status, t)
		switch {
		case len(is) > len(was):
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("updates may not add a condition of type %q", t)))
		case len(is) == len(was) && !equality.Semantic.DeepEqual(is, was):
			errs = append(errs, field.Forbidden(path, fmt.Sprintf("updates may not modify a condition of type %q\n%v", t, diff.Diff(was, is))))
		}
	}
	return errs
}
