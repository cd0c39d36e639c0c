// Package auth says who a request comes from and who may do what. It keeps the cluster's own certificate authority and
// the tokens beside it; the authorizers that look at the cluster's objects have folders of their own:
//
//	pki, err := auth.OpenPKI(dir, hosts)
//	authn := auth.NewAuthenticator(tokens)
//	user, ok, err := authn.Authenticate(request)
//	authz := auth.Any{auth.Superusers, index} // index: see package rbac
//	allowed, reason := authz.Authorize(user, attributes)
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

	serviceAccountPrefix = "system:serviceaccount:" // before NAMESPACE:NAME
)

// ServiceAccountUser is the user name of a service account.
func ServiceAccountUser(namespace, name string) string {
	return serviceAccountPrefix + namespace + ":" + name
}

// User is who a request comes from.
type User struct {
	Name   string
	UID    string
	Groups []string
	Extra  map[string][]string
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
	FieldSelector                                       string // of a list, watch or deletecollection, as it was sent
}
