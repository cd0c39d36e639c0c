package controller

import (
	"context"
	"crypto/x509"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"leme/server/auth"
	"leme/server/auth/signer"
	"leme/server/kind"
	"leme/server/resource"
)

// CertificateAuthority signs what has been approved. The certificate is PEM.
type CertificateAuthority interface {
	SignRequest(r *x509.CertificateRequest, u auth.Usages, life time.Duration) ([]byte, error)
}

// newCertificateSigning signs approved requests to the cluster's own signers.
func newCertificateSigning(e *environment) component {
	requests := resource.For[*certificatesv1.CertificateSigningRequest](e.api, kind.CertificateSigningRequest, "system:controller:certificate-controller")
	return &loop[objectKey]{
		name:    "csrsigning",
		workers: 2,
		sources: []source[objectKey]{{of(e.api, kind.CertificateSigningRequest), itself}},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			csr, ok := requests.Get("", key.Name)
			if !ok || !toSign(csr) {
				return 0, nil
			}
			certificate, refused, err := signed(e.CertificateAuthority, csr)
			if err != nil {
				return 0, err
			}
			_, err = requests.UpdateStatus(ctx, "", csr.Name, func(now *certificatesv1.CertificateSigningRequest) error {
				switch {
				case now.UID != csr.UID || !toSign(now):
				case refused != nil:
					setCondition(now, certificatesv1.CertificateFailed, "SignerValidationFailure", refused.Error())
				default:
					now.Status.Certificate = certificate
				}
				return nil
			})
			return 0, ignoreGone(err)
		},
	}
}

// toSign tells an approved request to one of the cluster's own signers that has no certificate yet.
func toSign(csr *certificatesv1.CertificateSigningRequest) bool {
	return signer.Own(csr.Spec.SignerName) && len(csr.Status.Certificate) == 0 &&
		conditionOf(csr, certificatesv1.CertificateApproved) != nil &&
		conditionOf(csr, certificatesv1.CertificateDenied) == nil && conditionOf(csr, certificatesv1.CertificateFailed) == nil
}

// signed is a request's certificate; refused is why its signer does not sign it.
func signed(ca CertificateAuthority, csr *certificatesv1.CertificateSigningRequest) (certificate []byte, refused, err error) {
	request, err := kind.ParseCertificateRequest(csr.Spec.Request)
	if err != nil {
		return nil, nil, err
	}
	if refused = signer.Check(csr.Spec.SignerName, request, csr.Spec.Usages); refused != nil {
		return nil, refused, nil
	}
	life := time.Duration(ptr.Deref(csr.Spec.ExpirationSeconds, 0)) * time.Second
	certificate, err = ca.SignRequest(request, signer.UsagesOf(csr.Spec.Usages), life)
	return certificate, nil, err
}

func conditionOf(csr *certificatesv1.CertificateSigningRequest, t certificatesv1.RequestConditionType) *certificatesv1.CertificateSigningRequestCondition {
	for i := range csr.Status.Conditions {
		if csr.Status.Conditions[i].Type == t {
			return &csr.Status.Conditions[i]
		}
	}
	return nil
}

func setCondition(csr *certificatesv1.CertificateSigningRequest, t certificatesv1.RequestConditionType, reason, message string) {
	csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{
		Type: t, Status: corev1.ConditionTrue, Reason: reason, Message: message,
	})
}
