package rest

import "net/http"

// get answers with one object.
func (h *Handler) get(c *call) error {
	o, err := c.getOptions()
	if err != nil {
		return err
	}
	it, err := h.api.Get(c.context(), c.target(), o)
	if err != nil {
		return err
	}
	return c.writeItem(http.StatusOK, it)
}
