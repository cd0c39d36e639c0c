package signer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	certificatesv1 "k8s.io/api/certificates/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"leme/server/auth"
)

// own are the signers that the cluster's CA signs for, and what each takes.
var own = map[string]func(*x509.CertificateRequest, []certificatesv1.KeyUsage) error{
	certificatesv1.KubeAPIServerClientSignerName:        clientRule,
	certificatesv1.KubeAPIServerClientKubeletSignerName: nodeClientRule,
	certificatesv1.KubeletServingSignerName:             nodeServingRule,
}

// Own tells the signers that the cluster's CA signs for.
func Own(name string) bool { return own[name] != nil }

// Check says what of a request one of the cluster's own signers does not take.
func Check(name string, r *x509.CertificateRequest, usages []certificatesv1.KeyUsage) error {
	return own[name](r, usages)
}

func clientRule(_ *x509.CertificateRequest, usages []certificatesv1.KeyUsage) error {
	for _, usage := range usages {
		switch usage {
		case certificatesv1.UsageDigitalSignature, certificatesv1.UsageKeyEncipherment, certificatesv1.UsageClientAuth:
		default:
			return fmt.Errorf("invalid usage for client certificate: %s", usage)
		}
	}
	if !slices.Contains(usages, certificatesv1.UsageClientAuth) {
		return fmt.Errorf("missing required usage for client certificate: %s", certificatesv1.UsageClientAuth)
	}
	return nil
}

// nodeClientRule takes the certificate by which a node's agent speaks to the API.
func nodeClientRule(r *x509.CertificateRequest, usages []certificatesv1.KeyUsage) error {
	switch {
	case !slices.Equal(r.Subject.Organization, []string{auth.GroupNodes}):
		return errOrganization
	case len(r.DNSNames) > 0:
		return errors.New("DNS subjectAltNames are not allowed")
	case len(r.EmailAddresses) > 0:
		return errEmail
	case len(r.IPAddresses) > 0:
		return errors.New("IP subjectAltNames are not allowed")
	case len(r.URIs) > 0:
		return errURI
	case !strings.HasPrefix(r.Subject.CommonName, auth.NodePrefix):
		return errCommonName
	}
	return exactly(usages, certificatesv1.UsageClientAuth)
}

// nodeServingRule takes the certificate that a node's agent serves with.
func nodeServingRule(r *x509.CertificateRequest, usages []certificatesv1.KeyUsage) error {
	switch {
	case !slices.Equal(r.Subject.Organization, []string{auth.GroupNodes}):
		return errOrganization
	case len(r.DNSNames)+len(r.IPAddresses) == 0:
		return errors.New("DNS or IP subjectAltName is required")
	case len(r.EmailAddresses) > 0:
		return errEmail
	case len(r.URIs) > 0:
		return errURI
	}
	if err := exactly(usages, certificatesv1.UsageServerAuth); err != nil {
		return err
	}
	if !strings.HasPrefix(r.Subject.CommonName, auth.NodePrefix) {
		return errCommonName
	}
	return nil
}

// In Kubernetes' words, which people search for.
var (
	errOrganization = errors.New("subject organization is not system:nodes")
	errCommonName   = errors.New("subject common name does not begin with system:node:")
	errEmail        = errors.New("Email subjectAltNames are not allowed")
	errURI          = errors.New("URI subjectAltNames are not allowed")
)

// exactly checks that a key is for one thing, and for what TLS does with it.
func exactly(usages []certificatesv1.KeyUsage, usage certificatesv1.KeyUsage) error {
	bare := sets.New(certificatesv1.UsageDigitalSignature, usage)
	whole := bare.Clone().Insert(certificatesv1.UsageKeyEncipherment)
	if has := sets.New(usages...); !has.Equal(bare) && !has.Equal(whole) {
		return fmt.Errorf("usages did not match %v", sets.List(whole))
	}
	return nil
}

// UsagesOf are a request's usages in the terms of certificates: those of the cluster's own signers.
func UsagesOf(usages []certificatesv1.KeyUsage) auth.Usages {
	var u auth.Usages
	for _, usage := range usages {
		switch usage {
		case certificatesv1.UsageDigitalSignature:
			u.Key |= x509.KeyUsageDigitalSignature
		case certificatesv1.UsageKeyEncipherment:
			u.Key |= x509.KeyUsageKeyEncipherment
		case certificatesv1.UsageClientAuth:
			u.Extended = append(u.Extended, x509.ExtKeyUsageClientAuth)
		case certificatesv1.UsageServerAuth:
			u.Extended = append(u.Extended, x509.ExtKeyUsageServerAuth)
		}
	}
	return u
}
