// Package auth says who a request comes from and what they may do. It keeps the cluster's own certificate
// authority, the tokens beside it, and the table of rules that stands in for RBAC objects:
//
//	pki, err := auth.OpenPKI(dir, hosts)
//	authn := auth.NewAuthenticator(tokens)
//	user, ok, err := authn.Authenticate(request)
//	allowed, reason := auth.Rules{}.Authorize(user, attributes)
package auth

import "net/http"

// Names that the rest of the cluster relies on.
const (
	GroupMasters       = "system:masters"
	GroupNodes         = "system:nodes"
	GroupServers       = "system:leme-servers"
	GroupAuthenticated = "system:authenticated"

	UserServer = "system:leme-server"
	NodePrefix = "system:node:" // before a node's name: the user name of its agent
)

// User is who a request comes from.
type User struct {
	Name   string
	UID    string
	Groups []string
}

// Authenticator finds the user of a request. ok is false for an anonymous request; err says that credentials were given and are not good.
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
