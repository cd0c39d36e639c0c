package rest

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// patchTypes are the patches that can be sent.
var patchTypes = []types.PatchType{
	types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType, types.ApplyYAMLPatchType,
}

// patch changes an object by one of patchTypes.
func (h *Handler) patch(c *call) error {
	media := c.mediaType()
	patchType := types.PatchType(media)
	if !slices.Contains(patchTypes, patchType) {
		return unsupportedMedia(media, patchOffers())
	}
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

func patchOffers() string {
	offers := make([]string, len(patchTypes))
	for i, t := range patchTypes {
		offers[i] = string(t)
	}
	return strings.Join(offers, ", ")
}
