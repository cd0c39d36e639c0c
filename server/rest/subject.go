package rest

import (
	"net/http"
	"strings"
)

// subject is what a request is about, as labels tell it. Only what exists is named: a client must not be able to make up
// label values.
type subject struct {
	verb, group, version, resource, subresource, scope string
	dryRun                                             string
}

func (h *Handler) subject(c *call) subject {
	s := subject{verb: c.verbLabel()}
	if dryRun, ok := c.query["dryRun"]; ok && len(dryRun) == 1 && dryRun[0] == "All" {
		s.dryRun = "All"
	}
	k := h.kinds.Lookup(c.info.GroupVersionResource)
	switch {
	case k != nil:
		s.group, s.version, s.resource = k.Group, k.Version, k.Resource
		if sub, ok := k.Subresource(c.info.Subresource); ok {
			s.subresource = sub.Name
		}
	case findVirtual(c.info.GroupVersionResource) != nil:
		s.group, s.version, s.resource = c.info.Group, c.info.Version, c.info.Resource
	default:
		return s
	}
	s.scope = "cluster"
	if c.info.Name != "" || c.info.Verb == "create" {
		s.scope = "resource"
	} else if c.info.Namespace != "" {
		s.scope = "namespace"
	}
	return s
}

// verbLabel is Kubernetes' name of the verb in metrics: mostly the method's.
func (c *call) verbLabel() string {
	switch verb := c.info.Verb; verb {
	case "list", "watch", "deletecollection":
		return strings.ToUpper(verb)
	}
	switch c.info.Subresource {
	case "exec", "attach", "portforward", "proxy":
		return "CONNECT"
	}
	switch c.r.Method {
	case http.MethodHead:
		return http.MethodGet
	case http.MethodPatch:
		if strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/apply-patch") {
			return "APPLY"
		}
		return c.r.Method
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete:
		return c.r.Method
	}
	return "other"
}
