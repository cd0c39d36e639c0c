package h2

import (
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// trailer is what comes after the body: the fields that the header announced in Trailer, and those with
// http.TrailerPrefix. It is nil where there is none.
func (w *response) trailer(end bool) http.Header {
	if !end || w.head || !bodyAllowed(w.status) {
		return nil
	}
	trailer := http.Header{}
	for _, v := range w.announced() {
		for name := range strings.SplitSeq(v, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if values := w.header[name]; len(values) > 0 && httpguts.ValidTrailerHeader(name) {
				trailer[name] = values
			}
		}
	}
	for name, values := range w.header {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			trailer[http.CanonicalHeaderKey(name)] = values
		}
	}
	if len(trailer) == 0 {
		return nil
	}
	return trailer
}

// announced is the Trailer field as it was sent.
func (w *response) announced() []string {
	if w.frozen != nil {
		return w.frozen["Trailer"]
	}
	return w.header["Trailer"]
}
