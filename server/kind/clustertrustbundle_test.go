package kind

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// newCertificate is of an authority, or not.
func newCertificate(t *testing.T, authority bool, headers ...string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "me"}, SerialNumber: big.NewInt(1), IsCA: authority, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	block := &pem.Block{Type: "CERTIFICATE", Bytes: der, Headers: map[string]string{}}
	for _, h := range headers {
		block.Headers[h] = "x"
	}
	return string(pem.EncodeToMemory(block))
}

func TestValidateClusterTrustBundle(t *testing.T) {
	type bundle = *certificatesv1.ClusterTrustBundle
	one, two := newCertificate(t, true), newCertificate(t, true)
	base := func() bundle {
		return &certificatesv1.ClusterTrustBundle{ObjectMeta: metav1.ObjectMeta{Name: "roots"}, Spec: certificatesv1.ClusterTrustBundleSpec{TrustBundle: one}}
	}
	const name, signer, trust = "metadata.name", "spec.signerName", "spec.trustBundle"
	of := func(name, signer string) func(bundle) {
		return func(b bundle) { b.Name, b.Spec.SignerName = name, signer }
	}
	holds := func(text string) func(bundle) { return func(b bundle) { b.Spec.TrustBundle = text } }
	checkChanges(t, ClusterTrustBundle, base, []change[bundle]{
		{"two", holds(one + "between\n" + two), nil},
		{"none", holds("words"), []string{trust + isInvalid}},
		{"twice", holds(one + two + one), []string{trust + isInvalid}},
		{"a server's", holds(newCertificate(t, false)), []string{trust + isInvalid}},
		{"with headers", holds(newCertificate(t, true, "a")), []string{trust + isInvalid}},
		{"not one", holds(strings.ReplaceAll(one, "CERTIFICATE", "PRIVATE KEY")), []string{trust + isInvalid}},
		{"broken", holds("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), []string{trust + isInvalid}},
		{"too much", holds(strings.Repeat("x", maxTrustBundle+1)), []string{trust + ": FieldValueTooLong"}},
		{"a signer's", of("example.com:own:v1", "example.com/own"), nil},
		{"of no signer", of("example.com:own:v1", ""), []string{name + isInvalid}},
		{"of another signer", of("example.com:own:v1", "example.com/other"), []string{name + isInvalid}},
		{"without the signer", of("v1", "example.com/own"), []string{name + isInvalid}},
		{"deeper", of("example.com:own:more:v1", "example.com/own"), []string{name + isInvalid}},
		{"of a wrong signer", of("me:v1", "me"), []string{signer + isInvalid}},
	})
	moved := base()
	of("example.com:own:v1", "example.com/own")(moved)
	if got := causes(ClusterTrustBundle.ValidateUpdate(moved, base())); len(got) != 1 || got[0] != signer+isInvalid {
		t.Errorf("another signer gives %q", got)
	}
	for name, ok := range map[string]bool{"a": true, "example.com:own:v1": true, "example.com:own:": false, "A": false} {
		if problems := bundleName(name, false); ok != (len(problems) == 0) {
			t.Errorf("%s: %q", name, problems)
		}
	}
	if cells := ClusterTrustBundle.Row(moved); cells[1] != "example.com/own" {
		t.Errorf("got %v", cells)
	}
}

func TestValidateBundleProjection(t *testing.T) {
	type projection = corev1.ClusterTrustBundleProjection
	named := func(name string) projection { return projection{Name: &name, Path: "ca.crt"} }
	signed := func(signer string) projection { return projection{SignerName: &signer, Path: "ca.crt"} }
	both, labelled, nowhere := named("a"), named("a"), named("a")
	both.SignerName, labelled.LabelSelector, nowhere.Path = pointsTo("example.com/a"), &metav1.LabelSelector{}, ""
	for name, test := range map[string]struct {
		projection projection
		want       string
	}{
		"by name":          {named("example.com:own:v1"), ""},
		"by signer":        {signed("example.com/own"), ""},
		"by both":          {both, "p" + isInvalid},
		"by neither":       {projection{Path: "ca.crt"}, "p" + isRequired},
		"name and labels":  {labelled, "p.labelSelector" + isInvalid},
		"a wrong name":     {named("A"), "p.name" + isInvalid},
		"a wrong signer":   {signed("me"), "p.signerName" + isInvalid},
		"without its path": {nowhere, "p.path" + isRequired},
	} {
		got := strings.Join(causes(validateBundleProjection(&test.projection, field.NewPath("p"))), " ")
		if got != test.want {
			t.Errorf("%s gives %s", name, got)
		}
	}
}
