package server

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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
)

func newSigningRequest(t *testing.T, name, signer string, subject pkix.Name, usages ...certificatesv1.KeyUsage) *certificatesv1.CertificateSigningRequest {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		t.Fatal(err)
	}
	return &certificatesv1.CertificateSigningRequest{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: certificatesv1.CertificateSigningRequestSpec{
			Request: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), SignerName: signer, Usages: usages,
			ExpirationSeconds: ptr.To[int32](3600),
		},
	}
}

// issued waits for a request's certificate, and returns it.
func issued(t *testing.T, admin kubernetes.Interface, name string) *x509.Certificate {
	t.Helper()
	var text []byte
	eventually(t, name+" has its certificate", func() bool {
		csr, err := admin.CertificatesV1().CertificateSigningRequests().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		text = csr.Status.Certificate
		return len(text) > 0
	})
	block, _ := pem.Decode(text)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

func TestCertificates(t *testing.T) {
	s, kubeconfig := start(t)
	ctx, admin := t.Context(), kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig))
	requests := admin.CertificatesV1().CertificateSigningRequests()
	jane := newSigningRequest(t, "jane", certificatesv1.KubeAPIServerClientSignerName, pkix.Name{CommonName: "jane", Organization: []string{"staff"}}, "client auth")
	csr, err := requests.Create(ctx, jane, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if csr.Spec.Username != "admin" {
		t.Errorf("asked for by %q", csr.Spec.Username)
	}
	csr.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue, Reason: "Tried"}}
	if _, err := requests.UpdateApproval(ctx, csr.Name, csr, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	certificate := issued(t, admin, "jane")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.pki.CA())
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if life := certificate.NotAfter.Sub(certificate.NotBefore).Minutes(); certificate.Subject.CommonName != "jane" || life > 66 {
		t.Errorf("it is %s's for %f minutes", certificate.Subject.CommonName, life)
	}

	masters := newSigningRequest(t, "root", certificatesv1.KubeAPIServerClientSignerName, pkix.Name{CommonName: "root", Organization: []string{"system:masters"}}, "client auth")
	_, err = requests.Create(ctx, masters, metav1.CreateOptions{})
	refused(t, err, "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed")

	node := newSigningRequest(t, "node", certificatesv1.KubeAPIServerClientKubeletSignerName, pkix.Name{CommonName: "system:node:a", Organization: []string{"system:nodes"}}, "client auth", "digital signature")
	agent := as(t, kubeconfig, "system:node:a", "system:nodes")
	if _, err := agent.CertificatesV1().CertificateSigningRequests().Create(ctx, node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if certificate := issued(t, admin, "node"); certificate.Subject.CommonName != "system:node:a" {
		t.Errorf("a node is given the certificate of %s", certificate.Subject.CommonName)
	}
}
