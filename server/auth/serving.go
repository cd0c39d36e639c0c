package auth

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// RegistryHost is the cluster's own registry in image names, and the name by which every node reaches it. The server
// serves it beside the API.
const RegistryHost = "registry.leme"

// servingHosts is every name and address that the server certificate carries.
func servingHosts(hosts []string) []string {
	all := []string{
		"localhost", "127.0.0.1", "::1", RegistryHost,
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	if name, err := os.Hostname(); err == nil {
		all = append(all, name)
	}
	for _, h := range hosts {
		if h != "" {
			all = append(all, h)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ServerTLS is how the API serves: it asks for client certificates and accepts only the cluster's own.
// The certificate is renewed while serving.
func (p *PKI) ServerTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.VerifyClientCertIfGiven,
		ClientCAs:  p.pool(),
		// Records that each fit a packet let browsers begin early; here they would make an event three writes, and three
		// reads of its watcher.
		DynamicRecordSizingDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c, err := p.serverCertificate()
			if err != nil {
				return nil, err
			}
			return c.tls(), nil
		},
	}
}

// ClientTLS is the server's own identity towards agents, system:leme-server; it trusts the cluster's CA alone.
func (p *PKI) ClientTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		RootCAs:    p.pool(),
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			c, err := p.clientCertificate()
			if err != nil {
				return nil, err
			}
			return c.tls(), nil
		},
	}
}

func (p *PKI) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.caCert)
	return pool
}

// serverCertificate gives the certificate in use, loading or signing it where it has to.
func (p *PKI) serverCertificate() (*certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil && p.fresh(p.server) {
		return p.server, nil
	}
	certPath, keyPath := filepath.Join(p.dir, "server.crt"), filepath.Join(p.dir, "server.key")
	c, err := loadCertificate(certPath, keyPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil || !p.usable(c) {
		c, err = p.issue(request{
			subject: clientRequest(UserServer, []string{GroupServers}, nil).subject,
			hosts:   p.hosts,
			usages:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		})
		if err == nil {
			err = c.store(certPath, keyPath)
		}
		if err != nil {
			return nil, err
		}
	}
	p.server = c
	return c, nil
}

func (p *PKI) clientCertificate() (*certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil || !p.fresh(p.client) {
		c, err := p.issue(clientRequest(UserServer, []string{GroupServers}, nil))
		if err != nil {
			return nil, err
		}
		p.client = c
	}
	return p.client, nil
}

// fresh says whether a certificate need not be renewed yet. One that ends with the CA cannot get better.
func (p *PKI) fresh(c *certificate) bool {
	return p.now().Before(c.leaf.NotAfter.Add(-renewBefore)) || c.leaf.NotAfter.Equal(p.caCert.NotAfter)
}

// usable says whether a server certificate found on disk is this authority's, for these hosts, and fresh.
func (p *PKI) usable(c *certificate) bool {
	return p.fresh(c) && c.covers(p.hosts) && c.leaf.CheckSignatureFrom(p.caCert) == nil &&
		bytes.Equal(c.leaf.RawIssuer, p.caCert.RawSubject)
}
