package auth

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Usages are what a certificate's key is for.
type Usages struct {
	Key      x509.KeyUsage
	Extended []x509.ExtKeyUsage
}

// requestBackdate is how far behind another machine's clock may be and still find a requested certificate valid.
const requestBackdate = 5 * time.Minute

// SignRequest makes a certificate of a request whose signature has been checked: its subject and its names, for the
// given usages and life, which is a year where it is 0, and no longer. The result is PEM.
func (p *PKI) SignRequest(r *x509.CertificateRequest, u Usages, life time.Duration) ([]byte, error) {
	if life <= 0 || life > leafLifetime {
		life = leafLifetime
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := p.now()
	end := now.Add(life)
	if end.After(p.caCert.NotAfter) {
		end = p.caCert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: r.Subject,
		DNSNames: r.DNSNames, IPAddresses: r.IPAddresses, EmailAddresses: r.EmailAddresses, URIs: r.URIs,
		NotBefore: now.Add(-requestBackdate), NotAfter: end,
		KeyUsage: u.Key, ExtKeyUsage: u.Extended, BasicConstraintsValid: true,
	}, p.caCert, r.PublicKey, p.caKey)
	if err != nil {
		return nil, fmt.Errorf("signing the request of %q: %w", r.Subject.CommonName, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
