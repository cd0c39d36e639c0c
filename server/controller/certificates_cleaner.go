package controller

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	certificatesv1 "k8s.io/api/certificates/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
)

// How long requests are kept: those that somebody may still decide on or sign, and those that are done with.
const (
	requestSweep  = time.Hour
	pendingTime   = 24 * time.Hour
	finishedTime  = time.Hour
	requestGCUser = "system:controller:certificate-controller"
)

// newCertificateCleaner removes certificate signing requests that nobody needs any more.
func newCertificateCleaner(e *environment) component {
	requests := resource.For[*certificatesv1.CertificateSigningRequest](e.api, kind.CertificateSigningRequest, requestGCUser)
	return &loop[sweep]{
		name:    "csrcleaner",
		workers: 1,
		sources: []source[sweep]{{atStart, sweepAll}},
		reconcile: func(ctx context.Context, _ sweep) (time.Duration, error) {
			old := requests.List("", func(csr *certificatesv1.CertificateSigningRequest) bool { return expendable(csr, e.now()) })
			_, err := sideBySide(len(old), func(i int) error { return removeSeen(ctx, requests, old[i], metav1.DeleteOptions{}) })
			return requestSweep, err
		},
	}
}

// expendable tells a request that has waited for too long, was decided on some time ago, or whose certificate has ended.
func expendable(csr *certificatesv1.CertificateSigningRequest, now time.Time) bool {
	older := func(t metav1.Time, than time.Duration) bool { return !t.IsZero() && now.Sub(t.Time) > than }
	issued := len(csr.Status.Certificate) > 0
	if len(csr.Status.Conditions) == 0 && older(csr.CreationTimestamp, pendingTime) {
		return true
	}
	for _, c := range csr.Status.Conditions {
		switch c.Type {
		case certificatesv1.CertificateDenied, certificatesv1.CertificateFailed:
			if older(c.LastUpdateTime, finishedTime) {
				return true
			}
		case certificatesv1.CertificateApproved:
			if issued && (older(c.LastUpdateTime, finishedTime) || ended(csr.Status.Certificate, now)) || !issued && older(c.LastUpdateTime, pendingTime) {
				return true
			}
		}
	}
	return false
}

// ended tells that the first of some certificates is no longer valid.
func ended(certificates []byte, now time.Time) bool {
	block, _ := pem.Decode(certificates)
	if block == nil {
		return false
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	return err == nil && now.After(certificate.NotAfter)
}
