package kind

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
)

func newRequest(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "me"}}, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

func condition(t certificatesv1.RequestConditionType) certificatesv1.CertificateSigningRequestCondition {
	return certificatesv1.CertificateSigningRequestCondition{Type: t, Status: corev1.ConditionTrue}
}

func TestValidateCertificateSigningRequest(t *testing.T) {
	type request = *certificatesv1.CertificateSigningRequest
	text := newRequest(t)
	base := func() request {
		return &certificatesv1.CertificateSigningRequest{Spec: certificatesv1.CertificateSigningRequestSpec{
			Request: text, SignerName: certificatesv1.KubeAPIServerClientSignerName, Usages: []certificatesv1.KeyUsage{certificatesv1.UsageClientAuth},
		}}
	}
	signer := func(name string) func(request) { return func(r request) { r.Spec.SignerName = name } }
	checkChanges(t, CertificateSigningRequest, base, []change[request]{
		{"no request", func(r request) { r.Spec.Request = []byte("x") }, []string{"spec.request" + isInvalid}},
		{"no usages", func(r request) { r.Spec.Usages = nil }, []string{"spec.usages" + isRequired}},
		{"usages", func(r request) { r.Spec.Usages = []certificatesv1.KeyUsage{"x", "any", "any"} }, []string{"spec.usages[0]" + isNotSupported, "spec.usages[2]" + isDuplicate}},
		{"no signer", signer(""), []string{"spec.signerName" + isRequired}},
		{"the old signer", signer("kubernetes.io/legacy-unknown"), []string{"spec.signerName" + isInvalid}},
		{"no domain", signer("me"), []string{"spec.signerName" + isInvalid}},
		{"short domain", signer("me/you"), []string{"spec.signerName" + isInvalid}},
		{"wrong path", signer("example.com/A"), []string{"spec.signerName" + isInvalid}},
		{"own signer", signer("example.com/a.b"), nil},
		{"short life", func(r request) { r.Spec.ExpirationSeconds = pointsTo(int32(599)) }, []string{"spec.expirationSeconds" + isInvalid}},
		{"both", func(r request) {
			r.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{condition("Approved"), condition("Denied")}
		}, []string{"status.conditions" + isInvalid}},
		{"not approved", func(r request) {
			r.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: "Approved", Status: "False"}}
		}, []string{"status.conditions[0].status" + isNotSupported}},
		{"certificate", func(r request) { r.Status.Certificate = []byte("x") }, []string{"status.certificate" + isInvalid}},
	})

	approval, _ := CertificateSigningRequest.Subresource("approval")
	approved := base()
	approved.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{condition("Approved")}
	approved.Status.Certificate = []byte("not for them to say")
	approval.Prepare(approved, base())
	if errs := approval.Validate(approved, base()); len(errs) > 0 || approved.Status.Certificate != nil || approved.Status.Conditions[0].LastTransitionTime.IsZero() {
		t.Errorf("approving gives %v and %+v", errs, approved.Status)
	}
	if got := causes(approval.Validate(base(), approved)); len(got) != 1 || got[0] != "status.conditions"+isForbidden {
		t.Errorf("taking an approval back gives %q", got)
	}
	status, _ := CertificateSigningRequest.Subresource("status")
	if got := causes(status.Validate(approved, base())); len(got) != 1 || got[0] != "status.conditions"+isForbidden {
		t.Errorf("a signer who approves gives %q", got)
	}
	failed := approved.DeepCopy()
	failed.Status.Conditions = append(failed.Status.Conditions, condition("Failed"))
	failed.Status.Conditions[0].Reason = "changed"
	status.Prepare(failed, approved)
	if errs := status.Validate(failed, approved); len(errs) > 0 || failed.Status.Conditions[0].Reason != "" {
		t.Errorf("a signer who fails gives %v and %+v", errs, failed.Status)
	}
	if cells := CertificateSigningRequest.Row(failed); cells[5] != "Approved,Failed" {
		t.Errorf("got %v", cells)
	}
}
