package auth

import (
	"crypto/tls"
	"net/http"
)

// PKI is the cluster's CA and what it has signed, under Home/pki.
type PKI struct{}

// OpenPKI loads the CA and server certificate, making what is missing; hosts are names and IPs of the server certificate.
func OpenPKI(dir string, hosts []string) (*PKI, error) { panic("contract") }

func (p *PKI) CA() []byte             { panic("contract") } // PEM
func (p *PKI) ServerTLS() *tls.Config { panic("contract") } // asks for, verifies client certificates if given
func (p *PKI) ClientTLS() *tls.Config { panic("contract") } // the server's own identity towards agents (CN system:leme-server)
// Issue signs a client certificate; a node's is system:node:NAME in system:nodes, with its addresses as SANs, good for serving 10250 too.
func (p *PKI) Issue(user string, groups, hosts []string) (cert, key []byte, err error) {
	panic("contract")
}

// WriteKubeconfig writes an admin (system:masters) or node kubeconfig, 0600, atomically, certificates inline.
func (p *PKI) WriteKubeconfig(path, server, user string, groups, hosts []string) error {
	panic("contract")
}

// User is who a request comes from.
type User struct {
	Name   string
	UID    string
	Groups []string
}

// Authenticate finds the user of a request: client certificate, bearer token, or Basic with a token as password (registry clients). ok false: anonymous.
type Authenticator interface {
	Authenticate(r *http.Request) (u User, ok bool, err error)
}

// Authorizer says whether a user may do what a request asks; reason is for the 403.
type Authorizer interface {
	Authorize(u User, a Attributes) (allowed bool, reason string)
}

// Attributes is a request in RBAC's terms.
type Attributes struct {
	Verb, Group, Resource, Subresource, Namespace, Name string
	Path                                                string // of a non-resource request
}
