package rest

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/resource"
	"leme/server/store"
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
// A client that takes nothing for watchTime is sent away: what has happened since is in memory for it alone.
func (h *Handler) stream(ctx context.Context, c *call, w *resource.Watch, f *framer) {
	to := newPatient(c.w, h.watchTime)
	series := h.metrics.watching(c)
	pushed := newPushed(c, w, f, series)
	// Before the first event too: the client must know that it is watching.
	if to.write(nil) != nil {
		return
	}
	for {
		if c.begun != nil && !w.Catching() {
			c.begun() // it costs nothing while it waits
			c.begun = nil
		}
		if pushed != nil && !w.Catching() && !pushed.send(ctx, to) {
			return
		}
		events, err := w.Next(ctx)
		if ended(err) {
			return
		}
		size, goOn := sendFrames(to, f, events, err)
		if !goOn {
			return
		}
		series.sent(len(events), size)
	}
}

// ended says whether an error is the watch's end, of which there is nothing to tell.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// frameRooms are for what a watch sends. They are there for all watches: one of each's own would be most of what an idle
// watch keeps, and more than a processor's cache holds when an event wakes all of them.
var frameRooms = sync.Pool{New: func() any { b := make([]byte, 0, frameRoom); return &b }}

const (
	frameRoom = 8 << 10 // bytes
	frameMost = 2 * chunk
)

// sendFrames sends events, or the error that ends a watch.
func sendFrames(to patient, f *framer, events []store.Event, err error) (size int, goOn bool) {
	room := frameRooms.Get().(*[]byte)
	buf := (*room)[:0]
	for i := 0; i < len(events) && err == nil; i++ {
		buf, err = f.append(buf, events[i])
	}
	if err != nil {
		status := statusOf(err)
		buf, _ = f.appendError(buf, &status)
	}
	goOn = to.write(buf) == nil && err == nil
	if *room = buf; cap(buf) <= frameMost { // the first events of a large collection must not keep their room for good
		frameRooms.Put(room)
	}
	return len(buf), goOn
}

func watchTime(o metav1.ListOptions) time.Duration {
	if o.TimeoutSeconds != nil && *o.TimeoutSeconds > 0 {
		return time.Duration(*o.TimeoutSeconds) * time.Second
	}
	return watchTimeout + rand.N(watchTimeout)
}
