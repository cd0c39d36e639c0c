package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"leme/server/flow"
)

const (
	requestTimeout = time.Minute // for a request that is not meant to last
	requestGrace   = 5 * time.Second
)

// limit lets requests in by priority and fairness, and bounds how long they take. A watch gives its seats back once it
// has begun; what else is meant to last has none: it costs the agent or the registry more than it does the API.
func (h *Handler) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := of(r)
		lasts := h.lasts(c)
		if lasts && c.info.Verb != "watch" {
			next.ServeHTTP(w, r)
			return
		}
		arrived := time.Now()
		done, err := h.flow.Enter(r.Context(), flow.Request{User: c.user, Attributes: c.info.attributes(c.query), Seats: h.seats(c)})
		c.queued = time.Since(arrived)
		if err != nil {
			h.refuse(c, err)
			return
		}
		defer done()
		c.begun = done
		if !lasts {
			defer c.bound(time.Now().Add(requestTimeout))()
			ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
			defer cancel()
			c.r = r.WithContext(ctx)
			defer func() { c.r = r }() // what is told about a panic must not find it cancelled
		}
		next.ServeHTTP(w, c.r)
	})
}

func (h *Handler) refuse(c *call, err error) {
	var rejection *flow.Rejection
	if errors.As(err, &rejection) && rejection.Reason == flow.ClientGone {
		return
	}
	h.metrics.terminated(c)
	c.w.Header().Set("Retry-After", "1")
	c.fail(apierrors.NewTooManyRequests("Too many requests, please try again later.", 1))
}

// lasts says whether a request takes as long as its client likes.
func (h *Handler) lasts(c *call) bool {
	if c.info.Resource != "" {
		return c.info.longRunning(c.query)
	}
	return strings.HasPrefix(c.info.Path, profiles) || c.mount != nil
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
