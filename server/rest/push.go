package rest

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"leme/server/h2"
	"leme/server/resource"
	"leme/server/store"
)

// pusher is a http.ResponseWriter whose connection can send what a watch has for it: an event that a thousand watches
// wait for wakes none of their goroutines.
type pusher interface {
	Push(ctx context.Context, t *h2.Topic, s h2.Source) (unsent []byte, err error)
}

// pushed is a watch that is sent so. It implements h2.Source. There are thousands, and an event is made for one after the
// other: what that takes stands together, as most of it is not in the processor's cache.
type pushed struct {
	framer framer
	watch  *resource.Watch
	series watchSeries
	bytes  int64 // made

	to    pusher
	topic *h2.Topic
	call  *call
}

// newPushed is nil where the connection cannot.
func newPushed(c *call, w *resource.Watch, f *framer, s watchSeries) *pushed {
	to, ok := c.w.ResponseWriter.(pusher)
	if !ok {
		return nil
	}
	topic := w.Listen(func() store.Listener { return new(h2.Topic) }).(*h2.Topic)
	return &pushed{framer: *f, to: to, topic: topic, watch: w, call: c, series: s}
}

// eventRooms are for the events that are being made frames of.
var eventRooms = sync.Pool{New: func() any { return new([]store.Event) }}

// Append implements h2.Source.
func (p *pushed) Append(dst []byte) ([]byte, error) {
	room := eventRooms.Get().(*[]store.Event)
	defer eventRooms.Put(room)
	events, err := p.watch.Take((*room)[:0])
	start := len(dst)
	for i := 0; i < len(events) && err == nil; i++ {
		dst, err = p.framer.append(dst, events[i])
	}
	if made := len(dst) - start; made > 0 {
		p.series.sent(len(events), made)
		p.bytes += int64(made)
	}
	clear(events)
	*room = events
	return dst, err
}

// send sends events until the watch has something that is none: false when it has ended. What a client does not take at
// once waits for it here.
func (p *pushed) send(ctx context.Context, to patient) (goOn bool) {
	defer func() {
		p.call.w.bytes += p.bytes
		p.bytes = 0
	}()
	for {
		unsent, err := p.to.Push(p.watch.Quiet(ctx), p.topic, p)
		if len(unsent) > 0 {
			if p.bytes -= int64(len(unsent)); to.write(unsent) != nil {
				return false
			}
		}
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return false
		case errors.Is(err, http.ErrNotSupported):
			return true
		case ended(err):
			return true // a bookmark is due
		default:
			sendFrames(to, &p.framer, nil, err)
			return false
		}
	}
}
