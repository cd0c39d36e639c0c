package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// clockSkew is how far behind another machine's clock may be and still find a new certificate valid.
const clockSkew = time.Hour

// certificate is a signed certificate with its key.
type certificate struct {
	certPEM, keyPEM []byte
	leaf            *x509.Certificate
	key             crypto.Signer
}

// request is what a certificate shall say.
type request struct {
	subject   pkix.Name
	hosts     []string // DNS names and IP addresses
	usages    []x509.ExtKeyUsage
	authority bool
}

// clientRequest asks for a user's certificate; an agent's is good for serving too.
func clientRequest(user string, groups, hosts []string) request {
	r := request{
		subject: pkix.Name{CommonName: user, Organization: groups},
		usages:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if node, ok := strings.CutPrefix(user, NodePrefix); ok {
		r.hosts = append([]string{node}, hosts...)
		r.usages = append(r.usages, x509.ExtKeyUsageServerAuth)
	}
	return r
}

// sign makes a key and a certificate for it, signed by the given authority, or by itself where there is none.
func sign(r request, from, to time.Time, caCert *x509.Certificate, caKey crypto.Signer) (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               r.subject,
		NotBefore:             from.Add(-clockSkew),
		NotAfter:              to,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           r.usages,
		BasicConstraintsValid: true,
		IsCA:                  r.authority,
	}
	template.DNSNames, template.IPAddresses = splitHosts(r.hosts)
	if r.authority {
		template.KeyUsage |= x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	}
	if caCert == nil {
		caCert, caKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, caCert, key.Public(), caKey)
	if err != nil {
		return nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return parseCertificate(
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

func splitHosts(hosts []string) (names []string, ips []net.IP) {
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			ips = append(ips, ip)
		} else {
			names = append(names, h)
		}
	}
	return names, ips
}

func parseCertificate(certPEM, keyPEM []byte) (*certificate, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a %T cannot sign", pair.PrivateKey)
	}
	return &certificate{certPEM: certPEM, keyPEM: keyPEM, leaf: pair.Leaf, key: key}, nil
}

func loadCertificate(certPath, keyPath string) (*certificate, error) {
	keyPEM, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, err
	}
	certPEM, err := os.ReadFile(certPath)
	if err != nil {
		return nil, err
	}
	c, err := parseCertificate(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", certPath, err)
	}
	return c, nil
}

// store writes the key before the certificate: a certificate without its key is never left behind.
func (c *certificate) store(certPath, keyPath string) error {
	if err := writeFile(keyPath, c.keyPEM, 0o600); err != nil {
		return err
	}
	return writeFile(certPath, c.certPEM, 0o644)
}

func (c *certificate) tls() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{c.leaf.Raw}, PrivateKey: c.key, Leaf: c.leaf}
}

// covers says whether the certificate names exactly these hosts.
func (c *certificate) covers(hosts []string) bool {
	have := slices.Clone(c.leaf.DNSNames)
	for _, ip := range c.leaf.IPAddresses {
		have = append(have, ip.String())
	}
	want := make([]string, 0, len(hosts))
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			h = ip.String()
		}
		want = append(want, h)
	}
	slices.Sort(have)
	slices.Sort(want)
	return slices.Equal(have, want)
}
