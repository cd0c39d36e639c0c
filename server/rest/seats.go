package rest

import (
	"strconv"

	"leme/server/flow"
)

const (
	objectsPerSeat = 500       // of a list; they are copied, not encoded
	bytesPerSeat   = 256 << 10 // of a body; it grows when it is decoded
)

// seats is what a request costs, in usual ones: a list by what there is to look through, a write by what it carries.
func (h *Handler) seats(c *call) int {
	switch c.info.Verb {
	case "list", "watch", "deletecollection":
		return min(flow.MaxSeats, 1+h.looksThrough(c)/objectsPerSeat)
	case "create", "update", "patch":
		if c.r.ContentLength < 0 { // it does not say
			return flow.MaxSeats
		}
		return int(min(flow.MaxSeats, 1+c.r.ContentLength/bytesPerSeat))
	}
	return 1
}

// looksThrough is how many objects a list or the beginning of a watch is about, at most.
func (h *Handler) looksThrough(c *call) int {
	k := h.kinds.Lookup(c.info.GroupVersionResource)
	if k == nil || c.info.attributes(c.query).Name != "" {
		return 0
	}
	get := c.query.Get
	if version := get("resourceVersion"); c.info.Verb == "watch" && version != "" && version != "0" && !isTrue(c.query, "sendInitialEvents") {
		return 0 // only what is new
	}
	n := h.api.Store().Snapshot(k.GroupResource()).Len()
	if limit, err := strconv.Atoi(get("limit")); err == nil && limit > 0 && get("labelSelector") == "" && get("fieldSelector") == "" {
		return min(n, limit)
	}
	return n
}
