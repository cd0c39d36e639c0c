package rest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/resource"
	"leme/server/tracing"
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
	starting, span := tracing.Start(ctx, "watch start")
	w, err := h.api.Watch(starting, c.target(), o)
	tracing.End(span, err)
	if err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Content-Type", c.accept.contentType(true))
	header.Set("Cache-Control", "no-cache, private")
	c.w.WriteHeader(http.StatusOK)
	h.stream(ctx, c, w, f)
	return nil
}

// stream sends what a watch gives as frames, each batch in one write. From here on an error can only be told in a frame.
func (h *Handler) stream(ctx context.Context, c *call, w *resource.Watch, f *framer) {
	control := http.NewResponseController(c.w.ResponseWriter)
	stuck := newPatience(h.watchTime, func() { _ = control.SetWriteDeadline(time.Unix(1, 0)) })
	defer stuck.end()
	flush := control.Flush
	series := h.metrics.watching(c)
	var buf []byte
	for {
		// Before the first event too: the client must know that it is watching.
		stuck.begin()
		err := flush()
		stuck.pause()
		if err != nil {
			return // the client has gone
		}
		if !w.Catching() {
			c.begun() // it costs nothing while it waits
		}
		events, err := w.Next(ctx)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return
		}
		buf = buf[:0]
		for i := 0; i < len(events) && err == nil; i++ {
			buf, err = f.append(buf, events[i])
		}
		if err != nil {
			status := statusOf(err)
			buf, _ = f.appendError(buf, &status)
			_, _ = c.w.Write(buf)
			return
		}
		stuck.begin()
		if _, err := c.w.Write(buf); err != nil {
			return
		}
		series.sent(len(events), len(buf))
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
