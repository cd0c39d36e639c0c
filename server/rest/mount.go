package rest

import (
	"context"
	"net/http"
	"strings"

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
