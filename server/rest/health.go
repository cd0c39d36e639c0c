package rest

import (
	"context"
	"errors"
	"fmt"
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

// serveHealth answers /healthz, /livez and /readyz: "ok", or what is wrong; ?verbose lists the checks, ?exclude leaves some out.
func (h *Handler) serveHealth(w http.ResponseWriter, r *http.Request) {
	name := strings.Trim(strings.SplitN(r.URL.Path, "/", 3)[1], "/")
	only, query := r.PathValue("check"), r.URL.Query()
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	var report strings.Builder
	found, failed := false, false
	for _, c := range h.checks() {
		if (only != "" && c.name != only) || (only == "" && name == "livez" && !c.live) || slices.Contains(query["exclude"], c.name) {
			continue
		}
		found = true
		if err := c.run(ctx); err != nil {
			failed = true
			fmt.Fprintf(&report, "[-]%s failed: %v\n", c.name, err)
		} else {
			fmt.Fprintf(&report, "[+]%s ok\n", c.name)
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case !found && only != "":
		http.NotFound(w, r)
	case failed:
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s%s check failed\n", report.String(), name)
	case query.Has("verbose"):
		fmt.Fprintf(w, "%s%s check passed\n", report.String(), name)
	default:
		fmt.Fprint(w, "ok")
	}
}
