package rest

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"leme/server/resource"
)

// patch changes an object by one of resource.PatchTypes.
func (h *Handler) patch(c *call) error {
	media := c.mediaType()
	if !slices.Contains(resource.PatchTypes, media) {
		return unsupportedMedia(media, strings.Join(resource.PatchTypes, ", "))
	}
	patchType := types.PatchType(media)
	o, err := c.patchOptions(patchType == types.ApplyYAMLPatchType)
	if err != nil {
		return err
	}
	data, err := c.body()
	if err != nil {
		return err
	}
	it, created, err := h.api.Patch(c.context(), c.target(), patchType, data, o)
	if err != nil {
		return err
	}
	return c.writeItem(written(created), it)
}
