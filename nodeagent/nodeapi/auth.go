package nodeapi

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// Who may use all of the API without being asked about: the names are a certificate's common name and organization.
const (
	serverName  = "system:leme-server"
	adminsGroup = "system:masters"
)

// authorized lets requests through of a server or an administrator, and of others by what the cluster says of them: who
// they are tells a client certificate of its CA, or a token; what they may do, roles that speak of the node's parts.
func (s *Server) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, known := s.user(r)
		switch {
		case !known:
			writeError(w, apierrors.NewUnauthorized("Unauthorized"))
		case user.Username == serverName || slices.Contains(user.Groups, adminsGroup):
			next.ServeHTTP(w, r)
		default:
			if err := s.mayUse(r, user); err != nil {
				writeError(w, err)
				return
			}
			next.ServeHTTP(w, r)
		}
	})
}

// user is who sends a request.
func (s *Server) user(r *http.Request) (user authenticationv1.UserInfo, known bool) {
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		subject := r.TLS.VerifiedChains[0][0].Subject
		return authenticationv1.UserInfo{Username: subject.CommonName, Groups: append(subject.Organization, "system:authenticated")}, true
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || s.Reviews == nil {
		return user, false
	}
	user, known, err := s.Reviews.authenticate(r.Context(), token)
	if err != nil {
		s.Logger.Warn("a request could not be authenticated", "error", err)
	}
	// A token says what its bearer is in the cluster, and not that they are the server.
	return user, known && err == nil && user.Username != serverName
}

// mayUse is nil when one of the names of what is asked for is allowed.
func (s *Server) mayUse(r *http.Request, user authenticationv1.UserInfo) error {
	verb, parts := verbs[r.Method], partsOf(r.URL.Path)
	for _, part := range parts {
		if s.Reviews == nil {
			break
		}
		allowed, err := s.Reviews.allowed(r.Context(), user, authorizationv1.ResourceAttributes{
			Verb: verb, Version: "v1", Resource: "nodes", Subresource: part, Name: s.Node,
		})
		if err != nil {
			s.Logger.Warn("a request could not be authorized", "user", user.Username, "error", err)
			return apierrors.NewInternalError(fmt.Errorf("Authorization error (user=%s, verb=%s, resource=nodes, subresource=%s)", user.Username, verb, part))
		}
		if allowed {
			return nil
		}
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
		Message: fmt.Sprintf("Forbidden (user=%s, verb=%s, resource=nodes, subresource(s)=%v)", user.Username, verb, parts)}}
}

// verbs are those of the API for a request's methods.
var verbs = map[string]string{
	http.MethodPost: "create", http.MethodGet: "get", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete",
}

// parts say under which names roles speak of a path, as of the kubelet's; what is not here is nodes/proxy.
var parts = []struct {
	path, part string
	only       bool // nodes/proxy does not allow it too
}{
	{"/stats", "stats", true},
	{"/metrics", "metrics", true},
	{"/logs", "log", true},
	{"/pods", "pods", false},
	{"/runningpods", "pods", false},
	{"/healthz", "healthz", false},
	{"/configz", "configz", false},
}

func partsOf(path string) []string {
	for _, p := range parts {
		switch {
		case path != p.path && !strings.HasPrefix(path, p.path+"/"):
		case p.only:
			return []string{p.part}
		default:
			return []string{p.part, "proxy"}
		}
	}
	return []string{"proxy"}
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
