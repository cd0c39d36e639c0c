package rest

import (
	"net/http"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const aggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// wantsAggregated says whether the best clause that can be served asks for the aggregated form.
func wantsAggregated(header string) bool {
	for _, c := range parseAccept(header) {
		switch {
		case c.media != "application/json" && c.media != "*/*":
		case c.params["as"] == "":
			return false
		case c.params["as"] == "APIGroupDiscoveryList" && c.params["g"] == apidiscovery.GroupName && c.params["v"] == "v2":
			return true
		}
	}
	return false
}

// serveLegacyVersions answers /api, serveGroups /apis: each in the old and the aggregated form.
func (h *Handler) serveLegacyVersions(w http.ResponseWriter, r *http.Request) {
	h.serveDiscovery(w, r, func(d *documents) (all, legacy []byte) { return d.core, d.legacy })
}

func (h *Handler) serveGroups(w http.ResponseWriter, r *http.Request) {
	h.serveDiscovery(w, r, func(d *documents) (all, legacy []byte) { return d.all, d.list })
}

func (h *Handler) serveDiscovery(w http.ResponseWriter, r *http.Request, pick func(*documents) (all, legacy []byte)) {
	c := of(r)
	docs, err := h.discovery.current()
	if err != nil {
		c.fail(err)
		return
	}
	all, legacy := pick(docs)
	w.Header().Set("Vary", "Accept")
	if wantsAggregated(r.Header.Get("Accept")) {
		serveDocument(w, r, aggregatedType, all)
		return
	}
	c.writeDocument(legacy)
}

// serveGroup answers /apis/GROUP.
func (h *Handler) serveGroup(_ http.ResponseWriter, r *http.Request) {
	h.serveKnown(r, func(d *documents) []byte { return d.details[r.PathValue("group")] })
}

// serveGroupVersion answers /api/v1 and /apis/GROUP/VERSION.
func (h *Handler) serveGroupVersion(_ http.ResponseWriter, r *http.Request) {
	gv := schema.GroupVersion{Group: r.PathValue("group"), Version: r.PathValue("version")}
	if gv.Version == "" {
		gv.Version = "v1"
	}
	h.serveKnown(r, func(d *documents) []byte { return d.resources[gv] })
}

func (h *Handler) serveKnown(r *http.Request, find func(*documents) []byte) {
	c := of(r)
	docs, err := h.discovery.current()
	if err != nil {
		c.fail(err)
		return
	}
	raw := find(docs)
	if raw == nil {
		c.fail(notFound(c))
		return
	}
	c.writeDocument(raw)
}

// writeDocument answers with JSON that was made before.
func (c *call) writeDocument(raw []byte) {
	c.accept = accept{format: formatJSON, pretty: c.pretty()}
	c.writeJSON(http.StatusOK, raw)
}
