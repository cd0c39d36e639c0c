package nodeapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// Who may use the API, besides /healthz: the names are a certificate's common name and organization.
const (
	serverName  = "system:leme-server"
	adminsGroup = "system:masters"
)

// authorized lets requests through whose client certificate is that of a server or an administrator.
func authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			writeError(w, apierrors.NewUnauthorized("a client certificate of the cluster's CA is needed"))
			return
		}
		subject := r.TLS.VerifiedChains[0][0].Subject
		if subject.CommonName != serverName && !slices.Contains(subject.Organization, adminsGroup) {
			writeError(w, apierrors.NewForbidden(schema.GroupResource{Resource: "nodes/proxy"}, "",
				fmt.Errorf("%q may not use a node's API", subject.CommonName)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Identity reads from a node's own client configuration what its API is served with: its certificate, read again at
// each use so that a renewed one counts, and the CA that its clients' certificates must be of.
func Identity(c *rest.Config) (certificate func() (*tls.Certificate, error), clientCA *x509.CertPool, err error) {
	certificate = func() (*tls.Certificate, error) {
		cert, err := content(c.CertData, c.CertFile)
		if err != nil {
			return nil, fmt.Errorf("reading the node's certificate: %w", err)
		}
		key, err := content(c.KeyData, c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the node's key: %w", err)
		}
		pair, err := tls.X509KeyPair(cert, key)
		return &pair, err
	}
	if _, err := certificate(); err != nil {
		return nil, nil, err
	}
	ca, err := content(c.CAData, c.CAFile)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the cluster's CA: %w", err)
	}
	clientCA = x509.NewCertPool()
	if !clientCA.AppendCertsFromPEM(ca) {
		return nil, nil, errors.New("the cluster's CA has no certificate")
	}
	return certificate, clientCA, nil
}

func content(data []byte, file string) ([]byte, error) {
	if len(data) > 0 {
		return data, nil
	}
	return os.ReadFile(file)
}
