package signer

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
)

func TestRules(t *testing.T) {
	node := func(mutate ...func(*x509.CertificateRequest)) *x509.CertificateRequest {
		r := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "system:node:a", Organization: []string{"system:nodes"}}}
		for _, m := range mutate {
			m(r)
		}
		return r
	}
	address := func(r *x509.CertificateRequest) { r.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)} }
	mail := func(r *x509.CertificateRequest) { r.EmailAddresses = []string{"a@example.com"} }
	stranger := func(r *x509.CertificateRequest) { r.Subject.CommonName = "jane" }
	staff := func(r *x509.CertificateRequest) { r.Subject.Organization = []string{"staff"} }
	const client, agent, serving = certificatesv1.KubeAPIServerClientSignerName, certificatesv1.KubeAPIServerClientKubeletSignerName, certificatesv1.KubeletServingSignerName
	usages := func(u ...certificatesv1.KeyUsage) []certificatesv1.KeyUsage { return u }
	for _, test := range []struct {
		name, signer string
		request      *x509.CertificateRequest
		usages       []certificatesv1.KeyUsage
		want         string
	}{
		{"client", client, node(stranger), usages("client auth"), ""},
		{"client that serves", client, node(), usages("client auth", "server auth"), "invalid usage for client certificate: server auth"},
		{"client that is none", client, node(), usages("digital signature"), "missing required usage for client certificate: client auth"},
		{"agent", agent, node(), usages("digital signature", "key encipherment", "client auth"), ""},
		{"agent without RSA", agent, node(), usages("client auth", "digital signature"), ""},
		{"agent of no node", agent, node(stranger), usages("client auth", "digital signature"), "subject common name does not begin with system:node:"},
		{"agent of the staff", agent, node(staff), usages("client auth", "digital signature"), "subject organization is not system:nodes"},
		{"agent with an address", agent, node(address), usages("client auth", "digital signature"), "IP subjectAltNames are not allowed"},
		{"agent that signs", agent, node(), usages("client auth", "digital signature", "cert sign"), "usages did not match [client auth digital signature key encipherment]"},
		{"serving", serving, node(address), usages("server auth", "digital signature"), ""},
		{"serving nowhere", serving, node(), usages("server auth", "digital signature"), "DNS or IP subjectAltName is required"},
		{"serving mail", serving, node(address, mail), usages("server auth", "digital signature"), "Email subjectAltNames are not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := ""
			if err := Check(test.signer, test.request, test.usages); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
	if Own("example.com/signer") {
		t.Error("another's signer is the cluster's own")
	}
}
