package controller

import (
	"context"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// everything follows all kinds that are wanted, those too that the server begins to serve later. Calls of fn
// for different kinds overlap.
func everything(api *resource.API, want func(*kind.Kind) bool) follow {
	return func(ctx context.Context, synced func(), fn func(store.Event)) error {
		g, ctx := errgroup.WithContext(ctx)
		f := &follower{api: api, group: g, running: make(map[schema.GroupResource]context.CancelFunc), fn: fn}
		g.Go(func() error { return f.keepUp(ctx, want, synced) })
		return g.Wait()
	}
}

type follower struct {
	api     *resource.API
	group   *errgroup.Group
	running map[schema.GroupResource]context.CancelFunc
	fn      func(store.Event)
}

// keepUp starts and stops following as kinds come and go. Only keepUp's goroutine uses running.
func (f *follower) keepUp(ctx context.Context, want func(*kind.Kind) bool, synced func()) error {
	for {
		changed := f.api.Kinds().Changed()
		listed := f.start(ctx, want)
		for range cap(listed) {
			select {
			case <-listed:
			case <-ctx.Done():
				return nil
			}
		}
		if synced != nil {
			synced()
			synced = nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// start follows what is new and lets go of what is not served any more. The channel gets one value for each
// kind that has been listed; its capacity is how many are to be.
func (f *follower) start(ctx context.Context, want func(*kind.Kind) bool) <-chan struct{} {
	served := make(map[schema.GroupResource]bool)
	var fresh []*kind.Kind
	for _, k := range f.api.Kinds().Stored() {
		gr := k.GroupResource()
		if !want(k) {
			continue
		}
		served[gr] = true
		if f.running[gr] == nil {
			fresh = append(fresh, k)
		}
	}
	for gr, stop := range f.running {
		if !served[gr] {
			stop()
			delete(f.running, gr)
		}
	}
	listed := make(chan struct{}, len(fresh))
	for _, k := range fresh {
		kctx, stop := context.WithCancel(ctx)
		f.running[k.GroupResource()] = stop
		f.group.Go(func() error {
			err := f.api.Follow(kctx, k, func() { listed <- struct{}{} }, f.fn)
			if kctx.Err() != nil {
				return nil
			}
			return err
		})
	}
	return listed
}

// atStart is a source that says one thing, when the controller starts: for those that look again by the clock.
func atStart(ctx context.Context, synced func(), fn func(store.Event)) error {
	fn(store.Event{})
	synced()
	<-ctx.Done()
	return nil
}

// sweep is the only key of a controller that looks at everything.
type sweep struct{}

func sweepAll(_ store.Event, add func(sweep)) { add(sweep{}) }
