package rest

import (
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/resource"
)

// create makes an object, or binds or evicts a pod.
func (h *Handler) create(c *call) error {
	o, err := c.createOptions()
	if err != nil {
		return err
	}
	obj, gvk := resource.BodyOf(c.target())
	if err := c.decode(obj, gvk); err != nil {
		return err
	}
	it, err := h.api.Create(c.context(), c.target(), obj, o)
	if err != nil {
		return err
	}
	if c.info.Subresource != "" {
		c.answer(http.StatusCreated, &metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusCreated}, statusKind)
		return nil
	}
	return c.writeItem(http.StatusCreated, it)
}
