package rest

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/auth"
)

// open are the paths that need no credentials.
var open = []string{"/healthz", "/livez", "/readyz", "/version"}

func isOpen(path string) bool {
	for _, p := range open {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}

// recover turns a panic into a 500 and a line in the log; the server goes on.
func (h *Handler) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			slog.Error("A request panicked", "method", r.Method, "path", r.URL.Path, "auditID", of(r).id, "panic", v, "stack", string(debug.Stack()))
			c := of(r)
			if c.w.status != 0 {
				panic(http.ErrAbortHandler) // the answer had begun: cut it off, so that it is not taken for whole
			}
			c.fail(apierrors.NewInternalError(errors.New("this request caused the apiserver to panic; look in the log for details")))
		}()
		next.ServeHTTP(w, r)
	})
}

// observe logs each request at debug level and counts it.
func (h *Handler) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		start := time.Now()
		done := h.begin(c)
		defer func() {
			took := time.Since(start)
			done(took)
			slog.Debug("request", "auditID", c.id, "method", r.Method, "uri", r.RequestURI, "verb", c.info.Verb, "user", c.user.Name,
				"agent", r.UserAgent(), "status", c.w.status, "bytes", c.w.bytes, "took", took)
		}()
		next.ServeHTTP(w, r)
	})
}

// authenticate finds who asks. Where nobody is known, only the open paths are served.
func (h *Handler) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		user, ok, err := h.authn.Authenticate(r)
		switch {
		case err != nil && !errors.Is(err, auth.ErrBadCredentials):
			slog.Error("Credentials could not be checked", "error", err)
			fallthrough
		case err != nil, !ok && !isOpen(r.URL.Path):
			if c.info.Resource == "" {
				w.Header().Set("WWW-Authenticate", `Basic realm="leme"`)
			}
			c.fail(apierrors.NewUnauthorized("Unauthorized"))
			h.unknown(c)
			return
		case !ok:
			user = auth.User{Name: userAnonymous, Groups: []string{groupUnauthenticated}}
		}
		c.user = user
		if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
			h.metrics.certificate(r.TLS.VerifiedChains[0])
		}
		r.Header.Del("Authorization") // whatever a request is passed on to has no business with it
		next.ServeHTTP(w, r)
	})
}

// authorize refuses what the user may not do, in Kubernetes' words.
func (h *Handler) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		a := c.attributes()
		if a.Path == "" || !isOpen(a.Path) {
			allowed, reason := h.authz.Authorize(c.user, a)
			c.audit.decision(allowed, reason)
			if !allowed {
				c.fail(forbidden(c.user, a, reason))
				return
			}
		}
		if c.mount != nil {
			r = r.WithContext(h.permits(r.Context(), c))
		}
		next.ServeHTTP(w, r)
	})
}

func forbidden(u auth.User, a auth.Attributes, reason string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: a.Group, Resource: a.Resource}, a.Name, auth.Refusal(u, a, reason))
}
