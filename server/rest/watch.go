package rest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A watch that does not say how long it lasts ends at random between once and twice this, so that the clients of a
// server that has restarted do not all come back together.
const watchTimeout = 30 * time.Minute

// watch sends events until the client goes, its time is up, or the server stops.
func (h *Handler) watch(c *call) error {
	o, err := c.listOptions()
	if err != nil {
		return err
	}
	f, err := h.newFramer(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.context(), watchTime(o))
	defer cancel()
	defer context.AfterFunc(h.life, cancel)()
	w, err := h.api.Watch(ctx, c.target(), o)
	if err != nil {
		return err
	}
	defer h.metrics.watching(c)()

	header := c.w.Header()
	header.Set("Content-Type", c.accept.contentType(true))
	header.Set("Cache-Control", "no-cache, private")
	c.w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(c.w.ResponseWriter).Flush
	if err := flush(); err != nil {
		return nil // the client has gone
	}
	var buf []byte
	for {
		events, err := w.Next(ctx)
		if err != nil {
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				return nil
			}
			// From here on an error can only be told in a frame.
			status := statusOf(err)
			if buf, err = f.appendError(buf[:0], &status); err == nil {
				_, _ = c.w.Write(buf)
			}
			return nil
		}
		buf = buf[:0]
		for _, e := range events {
			if buf, err = f.append(buf, e); err != nil {
				status := statusOf(err)
				buf, _ = f.appendError(buf, &status)
				_, _ = c.w.Write(buf)
				return nil
			}
		}
		if _, err := c.w.Write(buf); err != nil {
			return nil
		}
		if err := flush(); err != nil {
			return nil
		}
		h.metrics.sent(c, len(events))
		if cap(buf) > 16*chunk { // the first events of a large collection must not keep their room for as long as the watch lasts
			buf = nil
		}
	}
}

func watchTime(o metav1.ListOptions) time.Duration {
	if o.TimeoutSeconds != nil && *o.TimeoutSeconds > 0 {
		return time.Duration(*o.TimeoutSeconds) * time.Second
	}
	return watchTimeout + rand.N(watchTimeout)
}
