package signer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"strings"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// signers allows each of its names, with its verb, to everybody.
type signers []string

func (s signers) Authorize(_ auth.User, a auth.Attributes) (bool, string) {
	for _, name := range s {
		if a.Group == "certificates.k8s.io" && a.Resource == "signers" && a.Verb+" "+a.Name == name {
			return true, ""
		}
	}
	return false, ""
}

func requestOf(t *testing.T, signer string, groups ...string) *certificatesv1.CertificateSigningRequest {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "me", Organization: groups}}, key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	return &certificatesv1.CertificateSigningRequest{Spec: certificatesv1.CertificateSigningRequestSpec{SignerName: signer, Request: text}}
}

func TestGuard(t *testing.T) {
	const own, client = "example.com/own", certificatesv1.KubeAPIServerClientSignerName
	approved := func(csr *certificatesv1.CertificateSigningRequest) {
		csr.Status.Conditions = []certificatesv1.CertificateSigningRequestCondition{{Type: certificatesv1.CertificateApproved, Status: corev1.ConditionTrue}}
	}
	labelled := func(csr *certificatesv1.CertificateSigningRequest) { csr.Labels = map[string]string{"a": "b"} }
	for _, test := range []struct {
		name        string
		old         *certificatesv1.CertificateSigningRequest
		subresource string
		change      func(*certificatesv1.CertificateSigningRequest)
		may         signers
		refusal     string
	}{
		{"a client", nil, "", nil, nil, ""},
		{"a superuser", requestOf(t, client, auth.GroupMasters), "", nil, nil, "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"},
		{"a superuser of another signer", requestOf(t, own, auth.GroupMasters), "", nil, nil, ""},
		{"approval", requestOf(t, own), "approval", approved, signers{"approve example.com/own"}, ""},
		{"approval for a domain", requestOf(t, own), "approval", approved, signers{"approve example.com/*"}, ""},
		{"approval by a signer", requestOf(t, own), "approval", approved, signers{"sign example.com/own"}, `user not permitted to approve requests with signerName "example.com/own"`},
		{"signing", requestOf(t, own), "status", approved, signers{"sign example.com/own"}, ""},
		{"signing by nobody", requestOf(t, own), "status", approved, nil, `user not permitted to sign requests with signerName "example.com/own"`},
		{"a label by anybody", requestOf(t, own), "status", labelled, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := resource.Write{Target: resource.Target{Kind: kind.CertificateSigningRequest, Subresource: test.subresource}}
			switch {
			case test.old == nil:
				w.Object = requestOf(t, client)
			case test.subresource == "":
				w.Object = test.old
			default:
				csr := test.old.DeepCopy()
				test.change(csr)
				w.Object, w.Old = csr, test.old
			}
			ctx := auth.WithRequest(context.Background(), auth.Request{User: auth.User{Name: "jane"}})
			err := Guard(test.may)(ctx, w)
			if test.refusal == "" && err != nil || test.refusal != "" && (err == nil || !strings.Contains(err.Error(), test.refusal)) {
				t.Errorf("got  %v\nwant %s", err, test.refusal)
			}
		})
	}
}

func TestGuardOfBundles(t *testing.T) {
	bundle := func(signer string, change ...func(*certificatesv1.ClusterTrustBundle)) *certificatesv1.ClusterTrustBundle {
		b := &certificatesv1.ClusterTrustBundle{Spec: certificatesv1.ClusterTrustBundleSpec{SignerName: signer, TrustBundle: "a"}}
		for _, c := range change {
			c(b)
		}
		return b
	}
	const own, refusal = "example.com/own", `user not permitted to attest for signerName "example.com/own"`
	other := func(b *certificatesv1.ClusterTrustBundle) { b.Spec.TrustBundle = "b" }
	owned := func(b *certificatesv1.ClusterTrustBundle) { b.Finalizers = []string{"example.com/x"} }
	for _, test := range []struct {
		name     string
		old, new *certificatesv1.ClusterTrustBundle
		may      signers
		refusal  string
	}{
		{"nobody's", nil, bundle(""), nil, ""},
		{"a signer's", nil, bundle(own), signers{"attest example.com/own"}, ""},
		{"a domain's", nil, bundle(own), signers{"attest example.com/*"}, ""},
		{"one who signs", nil, bundle(own), signers{"sign example.com/own"}, refusal},
		{"a change", bundle(own), bundle(own, other), nil, refusal},
		{"none", bundle(own), bundle(own), nil, ""},
		{"a finalizer", bundle(own), bundle(own, owned), nil, ""},
	} {
		w := resource.Write{Target: resource.Target{Kind: kind.ClusterTrustBundle}, Object: test.new}
		if test.old != nil {
			w.Old = test.old
		}
		ctx := auth.WithRequest(context.Background(), auth.Request{User: auth.User{Name: "jane"}})
		err := Guard(test.may)(ctx, w)
		if test.refusal == "" && err != nil || test.refusal != "" && (err == nil || !strings.Contains(err.Error(), test.refusal)) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}
