package rest

import (
	"net/http"

	"leme/server/resource"
)

// update replaces an object, its status, its scale, or a namespace's finalizers.
func (h *Handler) update(c *call) error {
	o, err := c.updateOptions()
	if err != nil {
		return err
	}
	obj, gvk := resource.BodyOf(c.target())
	if err := c.decode(obj, gvk); err != nil {
		return err
	}
	it, created, err := h.api.Update(c.context(), c.target(), obj, o)
	if err != nil {
		return err
	}
	return c.writeItem(written(created), it)
}

// written is the status of a write that may have made its object.
func written(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}
