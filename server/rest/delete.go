package rest

import (
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/store"
)

// delete removes an object, or asks for it. One that stays for now is answered as it is, one that is gone with a Status.
func (h *Handler) delete(c *call) error {
	o, err := c.deleteOptions()
	if err != nil {
		return err
	}
	it, gone, err := h.api.Delete(c.context(), c.target(), o)
	if err != nil {
		return err
	}
	if !gone || c.accept.form != formFull || c.info.Resource == "pods" {
		return c.writeItem(http.StatusOK, it)
	}
	c.answer(http.StatusOK, deleted(it), statusKind)
	return nil
}

func deleted(it *store.Item) *metav1.Status {
	details := &metav1.StatusDetails{Name: it.Key.Name, Group: it.Key.Group, Kind: it.Key.Resource}
	if obj, err := it.Object(); err == nil {
		if m, err := meta.Accessor(obj); err == nil {
			details.UID = m.GetUID()
		}
	}
	return &metav1.Status{Status: metav1.StatusSuccess, Details: details}
}

// deleteCollection deletes what is selected and answers with it.
func (h *Handler) deleteCollection(c *call) error {
	o, err := c.deleteOptions()
	if err != nil {
		return err
	}
	lo, err := c.listOptions()
	if err != nil {
		return err
	}
	list, err := h.api.DeleteCollection(c.context(), c.target(), o, lo)
	if err != nil {
		return err
	}
	return c.writeList(http.StatusOK, list)
}
