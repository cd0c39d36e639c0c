package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// healthTimeout bounds one check.
const healthTimeout = 2 * time.Second

// check is one thing that must be well.
type check struct {
	name string
	run  func(ctx context.Context) error
	// live says that the server must be restarted when it is not well: etcd being away is no reason to.
	live bool
}

func (h *Handler) checks() []check {
	return []check{
		{name: "ping", run: func(context.Context) error { return nil }, live: true},
		{name: "etcd", run: func(ctx context.Context) error {
			_, err := h.api.Store().Consistent(ctx, schema.GroupResource{Resource: "namespaces"})
			return err
		}},
		{name: "shutdown", run: func(context.Context) error {
			if h.life.Err() != nil {
				return errors.New("the server is shutting down")
			}
			return nil
		}},
	}
}

// serveHealth answers /healthz, /livez and /readyz with "ok", or with each check when one fails or ?verbose asks for them,
// in the words of Kubernetes; ?exclude leaves a check out, and /readyz/etcd is that one alone. Why a check fails is in the
// log: anybody may ask here.
func (h *Handler) serveHealth(w http.ResponseWriter, r *http.Request) {
	name, query := strings.SplitN(r.URL.Path, "/", 3)[1], r.URL.Query()
	checks := h.checksOf(name, r.PathValue("check"))
	if len(checks) == 0 {
		http.NotFound(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	report, failed := h.report(ctx, checks, query["exclude"])
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case failed:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s%s check failed\n", report, name)
	case query.Has("verbose"):
		fmt.Fprintf(w, "%s%s check passed\n", report, name)
	default:
		fmt.Fprint(w, "ok")
	}
}

// checksOf returns the checks behind a path: the one that it names, or those of the endpoint.
func (h *Handler) checksOf(endpoint, only string) []check {
	return slices.DeleteFunc(h.checks(), func(c check) bool {
		if only != "" {
			return c.name != only
		}
		return endpoint == "livez" && !c.live
	})
}

func (h *Handler) report(ctx context.Context, checks []check, exclude []string) (report string, failed bool) {
	var lines strings.Builder
	unknown := slices.Clone(exclude)
	for _, c := range checks {
		if slices.Contains(exclude, c.name) {
			unknown = slices.DeleteFunc(unknown, func(name string) bool { return name == c.name })
			fmt.Fprintf(&lines, "[+]%s excluded: ok\n", c.name)
			continue
		}
		if err := c.run(ctx); err != nil {
			failed = true
			slog.Warn("A health check fails", "check", c.name, "error", err)
			fmt.Fprintf(&lines, "[-]%s failed: reason withheld\n", c.name)
			continue
		}
		fmt.Fprintf(&lines, "[+]%s ok\n", c.name)
	}
	if len(unknown) > 0 {
		fmt.Fprintf(&lines, "warn: some health checks cannot be excluded: no matches for \"%s\"\n", strings.Join(unknown, `","`))
	}
	return lines.String(), failed
}
