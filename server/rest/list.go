package rest

import "net/http"

// list answers with the objects that are selected.
func (h *Handler) list(c *call) error {
	o, err := c.listOptions()
	if err != nil {
		return err
	}
	list, err := h.api.List(c.context(), c.target(), o)
	if err != nil {
		return err
	}
	return c.writeList(http.StatusOK, list)
}
