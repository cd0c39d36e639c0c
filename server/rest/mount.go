package rest

import (
	"context"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/auth"
)

// Mount is a handler under a prefix ("/v2/"), behind the same TLS, authentication and authorization.
type Mount struct {
	Prefix  string
	Handler http.Handler
	// Attributes says what a request is in the authorizer's terms. Default: a request for its path.
	Attributes func(*http.Request) auth.Attributes
	// Refuse answers a request that is not let in, in the form that the mount's clients read. Default: a Status.
	Refuse func(w http.ResponseWriter, status int, message string)
	// Resources are those by which roles speak of what the handler serves.
	Resources []NamedResource
}

// NamedResource is one that the API only knows by its name: discovery tells of it, so that clients can ask what somebody
// may do with it (`kubectl auth can-i`), and that there are no verbs for it.
type NamedResource struct {
	schema.GroupVersionKind
	Resource, Singular string
	Namespaced         bool
}

// named are the resources of all mounts.
func named(mounts []Mount) []NamedResource {
	var all []NamedResource
	for _, m := range mounts {
		all = append(all, m.Resources...)
	}
	return all
}

// mountOf is the mount that a path belongs to, nil for the API's.
func (h *Handler) mountOf(path string) *Mount {
	for i := range h.mounts {
		if strings.HasPrefix(path, h.mounts[i].Prefix) {
			return &h.mounts[i]
		}
	}
	return nil
}

// attributes is the request as an authorizer sees it.
func (c *call) attributes() auth.Attributes {
	if c.mount != nil && c.mount.Attributes != nil {
		return c.mount.Attributes(c.r)
	}
	return c.info.attributes(c.query)
}

// permits lets a mount's handler ask what else its client may do.
func (h *Handler) permits(ctx context.Context, c *call) context.Context {
	return auth.WithPermits(ctx, func(a auth.Attributes) bool {
		allowed, _ := h.authz.Authorize(c.user, a)
		return allowed
	})
}
