package rest

import (
	"net/http"
	"slices"
)

// route sends a request to its verb, its subresource, or the paths that name no resource.
func (h *Handler) route(w http.ResponseWriter, r *http.Request) {
	c := of(r)
	c.tables, c.pieces = &h.tables, &h.pieces
	if c.info.Resource == "" {
		h.fixed.ServeHTTP(w, r)
		return
	}
	if err := h.serve(c); err != nil {
		c.fail(err)
	}
}

func (h *Handler) serve(c *call) error {
	if c.kind = h.kinds.Lookup(c.info.GroupVersionResource); c.kind == nil {
		if v := findVirtual(c.info.GroupVersionResource); v != nil {
			return h.serveVirtual(c, v)
		}
		return notFound(c)
	}
	if err := c.checkScope(); err != nil {
		return err
	}
	if c.kind.Deprecated != "" {
		c.warn(c.kind.Deprecated)
	}
	if c.info.Subresource != "" {
		return h.serveSubresource(c)
	}
	if err := c.negotiate(); err != nil {
		return err
	}
	if slices.Contains(c.kind.NoVerbs, c.info.Verb) || !c.verbFits() {
		return notAllowed(c)
	}
	serve := h.verb(c.info.Verb)
	if serve == nil {
		return notAllowed(c)
	}
	return serve(c)
}

// verb is what serves a verb on objects; nil when there is no such verb.
func (h *Handler) verb(name string) func(*call) error {
	switch name {
	case "get":
		return h.get
	case "list":
		return h.list
	case "watch":
		return h.watch
	case "create":
		return h.create
	case "update":
		return h.update
	case "patch":
		return h.patch
	case "delete":
		return h.delete
	case "deletecollection":
		return h.deleteCollection
	}
	return nil
}

// checkScope refuses a namespace where the kind has none, and the lack of one where an object of it is named.
func (c *call) checkScope() error {
	switch {
	case c.kind.Namespaced && c.info.Namespace == "" && c.info.Name != "":
		return notFound(c)
	case !c.kind.Namespaced && c.info.Namespace != "" && c.info.Resource != "namespaces":
		return notFound(c)
	}
	return nil
}

// verbFits says whether the path has what the verb needs.
func (c *call) verbFits() bool {
	named, in := c.info.Name != "", c.info.Namespace != "" || !c.kind.Namespaced
	switch c.info.Verb {
	case "create":
		return !named && in
	case "update", "patch":
		return named
	case "deletecollection":
		return in
	}
	return true
}
