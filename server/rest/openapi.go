package rest

import (
	"net/http"
	"strings"
	"time"
)

// openAPIProtobuf is the media type of the OpenAPI v2 document in protobuf. Clients ask for it with an @ for the last
// dot, with which it is none that could be parsed.
const openAPIProtobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

func (h *Handler) serveOpenAPIv2(w http.ResponseWriter, r *http.Request) {
	asJSON, asProtobuf, err := h.documents.V2()
	if err != nil {
		of(r).fail(err)
		return
	}
	w.Header().Set("Vary", "Accept")
	if wantsProtobuf(r.Header.Get("Accept")) {
		serveDocument(w, r, openAPIProtobuf, asProtobuf)
		return
	}
	serveDocument(w, r, "application/json", asJSON)
}

func wantsProtobuf(header string) bool {
	for clause := range strings.SplitSeq(header, ",") {
		media, _, _ := strings.Cut(clause, ";")
		switch strings.Replace(strings.TrimSpace(media), "@", ".", 1) {
		case openAPIProtobuf:
			return true
		case "application/json", "*/*":
			return false
		}
	}
	return false
}

func (h *Handler) serveOpenAPIv3Index(w http.ResponseWriter, r *http.Request) {
	raw, err := h.documents.V3Index()
	if err != nil {
		of(r).fail(err)
		return
	}
	serveDocument(w, r, "application/json", raw)
}

// serveOpenAPIv3 answers with one group version's document; with the right hash in the address it may be kept for good.
func (h *Handler) serveOpenAPIv3(w http.ResponseWriter, r *http.Request) {
	raw, hash, ok := h.documents.V3(r.PathValue("path"))
	if !ok {
		c := of(r)
		c.fail(notFound(c))
		return
	}
	if r.URL.Query().Get("hash") == hash {
		w.Header().Set("Cache-Control", "public, immutable")
		w.Header().Set("Expires", time.Now().AddDate(1, 0, 0).UTC().Format(http.TimeFormat))
	}
	serveDocument(w, r, "application/json", raw)
}

// serveDocument answers with bytes that seldom change, or that they have not.
func serveDocument(w http.ResponseWriter, r *http.Request, contentType string, raw []byte) {
	tag := etag(raw)
	w.Header().Set("Etag", tag)
	w.Header().Set("Content-Type", contentType)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	compress := of(r).compress(len(raw))
	if compress {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Add("Vary", "Accept-Encoding")
	}
	out := newOutput(w, compress)
	defer out.close()
	if r.Method != http.MethodHead {
		out.buf = append(out.buf, raw...)
	}
}
