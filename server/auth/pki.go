package auth

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	caLifetime   = 10 * 365 * 24 * time.Hour
	leafLifetime = 365 * 24 * time.Hour
	renewBefore  = 60 * 24 * time.Hour
)

// PKI is the cluster's certificate authority and what it has signed, kept in one folder:
// ca.crt and ca.key, server.crt and server.key. It is safe for concurrent use.
type PKI struct {
	dir   string
	hosts []string
	now   func() time.Time

	caPEM  []byte
	caCert *x509.Certificate
	caKey  crypto.Signer

	mu     sync.Mutex
	server *certificate // what the API serves with
	client *certificate // the server's identity towards the agents; in memory only
}

// OpenPKI loads the CA and the server certificate, making what is missing. hosts are names and IPs of the server
// certificate, besides those by which it is always known; it is signed anew when they change or it nears its end.
func OpenPKI(dir string, hosts []string) (*PKI, error) {
	return openPKI(dir, hosts, time.Now)
}

func openPKI(dir string, hosts []string, now func() time.Time) (*PKI, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the PKI folder: %w", err)
	}
	p := &PKI{dir: dir, hosts: servingHosts(hosts), now: now}
	if err := p.openCA(); err != nil {
		return nil, fmt.Errorf("opening the certificate authority in %s: %w", dir, err)
	}
	if _, err := p.serverCertificate(); err != nil {
		return nil, fmt.Errorf("preparing the server certificate: %w", err)
	}
	return p, nil
}

// CA is the authority's certificate as PEM.
func (p *PKI) CA() []byte { return p.caPEM }

// Issue signs a client certificate for a user and returns it and its key as PEM. A node's (system:node:NAME) carries
// its name and addresses too, so that its agent can serve with it.
func (p *PKI) Issue(user string, groups, hosts []string) (cert, key []byte, err error) {
	c, err := p.issue(clientRequest(user, groups, hosts))
	if err != nil {
		return nil, nil, err
	}
	return c.certPEM, c.keyPEM, nil
}

func (p *PKI) issue(r request) (*certificate, error) {
	now := p.now()
	end := now.Add(leafLifetime)
	if end.After(p.caCert.NotAfter) {
		end = p.caCert.NotAfter
	}
	c, err := sign(r, now, end, p.caCert, p.caKey)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate for %q: %w", r.subject.CommonName, err)
	}
	return c, nil
}

func (p *PKI) openCA() error {
	certPath, keyPath := filepath.Join(p.dir, "ca.crt"), filepath.Join(p.dir, "ca.key")
	c, err := loadCertificate(certPath, keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		if c, err = p.createCA(); err == nil {
			err = c.store(certPath, keyPath)
		}
	}
	if err != nil {
		return err
	}
	if !c.leaf.IsCA {
		return fmt.Errorf("%s is not a certificate authority", certPath)
	}
	if p.now().After(c.leaf.NotAfter) {
		return fmt.Errorf("%s expired on %s", certPath, c.leaf.NotAfter.Format(time.DateOnly))
	}
	p.caPEM, p.caCert, p.caKey = c.certPEM, c.leaf, c.key
	return nil
}

func (p *PKI) createCA() (*certificate, error) {
	if _, err := os.Stat(filepath.Join(p.dir, "ca.crt")); err == nil {
		return nil, errors.New("ca.crt is there but ca.key is not: put the key back, or remove both to start a new authority")
	}
	now := p.now()
	return sign(request{subject: pkix.Name{CommonName: "leme-ca"}, authority: true}, now, now.Add(caLifetime), nil, nil)
}
