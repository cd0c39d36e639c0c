package rest

import (
	"context"
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

const (
	requestTimeout = time.Minute // for a request that is not meant to last
	requestGrace   = 5 * time.Second
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
			slog.Error("A request panicked", "method", r.Method, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
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
		done := h.metrics.begin(c)
		defer func() {
			took := time.Since(start)
			done(took)
			slog.Debug("request", "method", r.Method, "uri", r.RequestURI, "verb", c.info.Verb, "user", c.user.Name,
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
			return
		case !ok:
			user = auth.User{Name: userAnonymous, Groups: []string{groupUnauthenticated}}
		}
		c.user = user
		r.Header.Del("Authorization") // whatever a request is passed on to has no business with it
		next.ServeHTTP(w, r)
	})
}

// authorize refuses what the user may not do, in Kubernetes' words.
func (h *Handler) authorize(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		a := c.info.attributes(c.query)
		if a.Path == "" || !isOpen(a.Path) {
			if allowed, reason := h.authz.Authorize(c.user, a); !allowed {
				c.fail(forbidden(c.user, a, reason))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func forbidden(u auth.User, a auth.Attributes, reason string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: a.Group, Resource: a.Resource}, a.Name, auth.Refusal(u, a, reason))
}

// limit bounds how long a request takes and how many there are at a time. Reads and writes are counted apart, so that
// neither starves the other; what is meant to last is not counted, and neither is system:masters, who must always get in.
func (h *Handler) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		if c.info.Resource == "" || c.info.longRunning(c.query) {
			next.ServeHTTP(w, r)
			return
		}
		leave, ok := h.limits.enter(c)
		if !ok {
			w.Header().Set("Retry-After", "1")
			c.fail(apierrors.NewTooManyRequests("Too many requests, please try again later.", 1))
			return
		}
		defer leave()
		defer c.bound(time.Now().Add(requestTimeout))()
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		c.r = r.WithContext(ctx)
		next.ServeHTTP(w, c.r)
	})
}

// bound gives a client that sends or reads slowly no more time than the request has; what it returns takes that back,
// for the connection's next request. Not every transport can.
func (c *call) bound(until time.Time) func() {
	control := http.NewResponseController(c.w.ResponseWriter)
	// A little longer than the work itself may take, so that its failure can still be told.
	_ = control.SetReadDeadline(until.Add(requestGrace))
	_ = control.SetWriteDeadline(until.Add(requestGrace))
	return func() {
		_ = control.SetReadDeadline(time.Time{})
		_ = control.SetWriteDeadline(time.Time{})
	}
}
