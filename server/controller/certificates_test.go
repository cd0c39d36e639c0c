package controller

import (
	"testing"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
)

func TestExpendableRequests(t *testing.T) {
	after := func(d time.Duration, types ...certificatesv1.RequestConditionType) *certificatesv1.CertificateSigningRequest {
		csr := &certificatesv1.CertificateSigningRequest{}
		csr.CreationTimestamp = ago(d)
		for _, c := range types {
			csr.Status.Conditions = append(csr.Status.Conditions, certificatesv1.CertificateSigningRequestCondition{Type: c, LastUpdateTime: ago(d)})
		}
		return csr
	}
	issued := func(csr *certificatesv1.CertificateSigningRequest) *certificatesv1.CertificateSigningRequest {
		csr.Status.Certificate = []byte("a certificate")
		return csr
	}
	for _, test := range []struct {
		name string
		csr  *certificatesv1.CertificateSigningRequest
		want bool
	}{
		{"new", after(time.Hour), false},
		{"waiting for a day", after(25 * time.Hour), true},
		{"just denied", after(time.Minute, certificatesv1.CertificateDenied), false},
		{"denied", after(2*time.Hour, certificatesv1.CertificateDenied), true},
		{"failed", after(2*time.Hour, certificatesv1.CertificateApproved, certificatesv1.CertificateFailed), true},
		{"approved, not signed", after(2*time.Hour, certificatesv1.CertificateApproved), false},
		{"approved, never signed", after(25*time.Hour, certificatesv1.CertificateApproved), true},
		{"just issued", issued(after(time.Minute, certificatesv1.CertificateApproved)), false},
		{"issued", issued(after(2*time.Hour, certificatesv1.CertificateApproved)), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := expendable(test.csr, testNow); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
