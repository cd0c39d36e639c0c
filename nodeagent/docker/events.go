package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"k8s.io/apimachinery/pkg/types"
)

// Events calls fn with the pod UID of each container of ours that changed, but for those that this runtime itself has
// just made or started, until ctx ends or the stream breaks.
// What happens between two subscriptions is not told: list after ready.
func (r *Runtime) Events(ctx context.Context, ready func(), fn func(types.UID)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.Negotiate(ctx); err != nil {
		return err
	}
	// The engine answers a moment before it has subscribed us; asking from now on closes that gap.
	stream := r.engine.Events(ctx, client.EventsListOptions{Filters: r.changes(), Since: time.Now().UTC().Format(time.RFC3339Nano)})
	select {
	case err := <-stream.Err:
		return broken(ctx, err)
	default:
	}
	r.forget("")
	r.expected.listen()
	defer r.expected.close()
	ready()
	for {
		select {
		case m := <-stream.Messages:
			if r.expected.has(m) {
				continue
			}
			r.forget(m.Actor.ID)
			if m.Action == events.ActionDestroy {
				r.releaseAddress(m.Actor.ID)
			}
			if uid := m.Actor.Attributes[LabelUID]; uid != "" {
				fn(types.UID(uid))
			}
		case err := <-stream.Err:
			return broken(ctx, err)
		}
	}
}

// changes selects the events that can change what Containers tells.
func (r *Runtime) changes() client.Filters {
	f := r.ours().Add("type", string(events.ContainerEventType))
	for _, action := range []events.Action{
		events.ActionCreate, events.ActionStart, events.ActionDie, events.ActionOOM, events.ActionDestroy,
		events.ActionPause, events.ActionUnPause,
	} {
		f.Add("event", string(action))
	}
	return f
}

func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("the engine's event stream broke: %w", err)
}
