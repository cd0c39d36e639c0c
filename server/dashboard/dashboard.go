// Package dashboard is a page in the browser that shows a cluster's nodes, pods and deployments as they change. It is one file
// without anything from outside, served by the API server at /ui/ and so by `leme proxy`, whose credentials it uses:
// it reads the API at the same address, lists once and then watches.
package dashboard

import (
	_ "embed"
	"net/http"
)

// Prefix is where the page is served.
const Prefix = "/ui/"

//go:embed index.html
var page []byte

// Handler serves the page. It may load nothing from elsewhere and be framed by nobody.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != Prefix:
			http.NotFound(w, r)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the dashboard is only read", http.StatusMethodNotAllowed)
			return
		}
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Cache-Control", "no-cache")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(page)
	})
}
