package rest

import "slices"

// serveSubresource serves what stands below an object: a part of it, a request about it, or a way to what runs.
func (h *Handler) serveSubresource(c *call) error {
	s, ok := c.kind.Subresource(c.info.Subresource)
	if !ok {
		return notFound(c)
	}
	if !slices.Contains(s.Verbs, c.info.Verb) {
		return notAllowed(c)
	}
	if serve := findConnect(c.kind.GroupResource(), s.Name); serve != nil {
		return h.connect(c, serve)
	}
	if err := c.negotiate(); err != nil {
		return err
	}
	return h.verb(c.info.Verb)(c)
}
