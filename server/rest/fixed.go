package rest

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"runtime"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/version"

	"leme/server/auth/token"
)

// The Kubernetes that the API is, as clients read it from /version.
const (
	kubernetesMajor   = "1"
	kubernetesMinor   = "37"
	kubernetesVersion = "v1.37.2"
)

// profiles is where the runtime tells how it does, to those whom a rule lets see it.
const profiles = "/debug/pprof/"

// fixedPaths are the paths that name no resource. Each is a line; / lists them.
func (h *Handler) fixedPaths(mounts []Mount) *http.ServeMux {
	paths := []struct {
		pattern string
		serve   http.HandlerFunc
	}{
		{"/.well-known/openid-configuration", h.serveOpenIDConfiguration},
		{"/api", h.serveLegacyVersions},
		{"/api/v1", h.serveGroupVersion},
		{"/apis", h.serveGroups},
		{"/apis/{group}", h.serveGroup},
		{"/apis/{group}/{version}", h.serveGroupVersion},
		{profiles, pprof.Index},
		{profiles + "cmdline", pprof.Cmdline},
		{profiles + "profile", pprof.Profile},
		{profiles + "symbol", pprof.Symbol},
		{profiles + "trace", pprof.Trace},
		{"/healthz", h.serveHealth},
		{"/healthz/{check}", h.serveHealth},
		{"/livez", h.serveHealth},
		{"/livez/{check}", h.serveHealth},
		{"/metrics", h.metrics.serve().ServeHTTP},
		{"/openapi/v2", h.serveOpenAPIv2},
		{"/openapi/v3", h.serveOpenAPIv3Index},
		{"/openapi/v3/{path...}", h.serveOpenAPIv3},
		{token.KeySetPath, h.serveKeySet},
		{"/readyz", h.serveHealth},
		{"/readyz/{check}", h.serveHealth},
		{"/version", h.serveVersion},
	}
	mux := http.NewServeMux()
	var listed []string
	for _, p := range paths {
		mux.HandleFunc(p.pattern, readOnly(p.serve))
		if !hasWildcard(p.pattern) {
			listed = append(listed, p.pattern)
			if !strings.HasSuffix(p.pattern, "/") {
				mux.HandleFunc(p.pattern+"/{$}", readOnly(p.serve))
			}
		}
	}
	for _, m := range mounts {
		mux.Handle(m.Prefix, m.Handler)
		listed = append(listed, m.Prefix)
	}
	slices.Sort(listed)
	mux.HandleFunc("/{$}", readOnly(func(w http.ResponseWriter, r *http.Request) {
		of(r).writeValue(map[string][]string{"paths": h.discovery.paths(listed)})
	}))
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) {
		c := of(r)
		c.fail(notFound(c))
	})
	return mux
}

func hasWildcard(pattern string) bool { return slices.Contains([]byte(pattern), '{') }

// readOnly refuses every method but GET and HEAD.
func readOnly(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			c := of(r)
			c.fail(notAllowed(c))
			return
		}
		serve(w, r)
	}
}

// writeValue answers with a value as JSON.
func (c *call) writeValue(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		c.fail(err)
		return
	}
	c.accept = accept{format: formatJSON, pretty: c.pretty()}
	c.writeJSON(http.StatusOK, append(raw, '\n'))
}

func (h *Handler) serveVersion(_ http.ResponseWriter, r *http.Request) {
	of(r).writeValue(version.Info{
		Major: kubernetesMajor, Minor: kubernetesMinor, GitVersion: kubernetesVersion + "+leme-" + h.version,
		EmulationMajor: kubernetesMajor, EmulationMinor: kubernetesMinor,
		GoVersion: runtime.Version(), Compiler: runtime.Compiler, Platform: runtime.GOOS + "/" + runtime.GOARCH,
	})
}
