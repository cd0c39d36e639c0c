package controller

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// A failed key is tried again after firstRetry, then twice as late each time, up to lastRetry.
const (
	firstRetry = 5 * time.Millisecond
	lastRetry  = 2 * time.Minute
)

// objectKey names an object of a kind that the controller knows.
type objectKey = types.NamespacedName

// follow calls fn for everything there is and each change until ctx ends, and synced after the first listing.
type follow func(ctx context.Context, synced func(), fn func(store.Event)) error

// source turns changes into the keys of what they may concern.
type source[K comparable] struct {
	follow follow
	keys   func(e store.Event, add func(K))
}

// loop reconciles one key at a time in each of its workers, never the same key twice at once. A key says
// that something may have to be done, never what: reconcile reads the state there is now.
type loop[K comparable] struct {
	name    string // in logs and errors
	workers int
	sources []source[K]
	// reconcile returns after which time the key wants to be looked at again without a change; 0: not.
	reconcile func(ctx context.Context, key K) (again time.Duration, err error)

	metrics workqueue.MetricsProvider // nil: nothing is counted
}

func (l *loop[K]) measure(m workqueue.MetricsProvider) { l.metrics = m }

// Run starts the workers once every source has listed what there is. It returns nil when ctx ends.
func (l *loop[K]) Run(ctx context.Context) error {
	if err := l.run(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	return nil
}

func (l *loop[K]) run(ctx context.Context) error {
	queue := workqueue.NewTypedRateLimitingQueueWithConfig(
		workqueue.NewTypedItemExponentialFailureRateLimiter[K](firstRetry, lastRetry),
		workqueue.TypedRateLimitingQueueConfig[K]{Name: l.name, MetricsProvider: l.metrics})
	g, ctx := errgroup.WithContext(ctx)
	synced := make(chan struct{}, len(l.sources))
	for _, s := range l.sources {
		g.Go(func() error {
			return s.follow(ctx, func() { synced <- struct{}{} }, func(e store.Event) { s.keys(e, queue.Add) })
		})
	}
	g.Go(func() error {
		defer queue.ShutDown()
		<-ctx.Done()
		return nil
	})
	g.Go(func() error {
		for range l.sources {
			select {
			case <-synced:
			case <-ctx.Done():
				return nil
			}
		}
		for range l.workers {
			g.Go(func() error {
				l.work(ctx, queue)
				return nil
			})
		}
		return nil
	})
	return g.Wait()
}

func (l *loop[K]) work(ctx context.Context, queue workqueue.TypedRateLimitingInterface[K]) {
	for {
		key, closed := queue.Get()
		if closed {
			return
		}
		l.one(ctx, queue, key)
		queue.Done(key)
	}
}

func (l *loop[K]) one(ctx context.Context, queue workqueue.TypedRateLimitingInterface[K], key K) {
	again, err := l.reconcile(ctx, key)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		slog.Warn("reconciling failed, trying again", "controller", l.name, "key", key, "tries", queue.NumRequeues(key)+1, "err", err)
		queue.AddRateLimited(key)
	default:
		queue.Forget(key)
		if again > 0 {
			queue.AddAfter(key, again)
		}
	}
}

// of follows one kind.
func of(api *resource.API, k *kind.Kind) follow {
	return func(ctx context.Context, synced func(), fn func(store.Event)) error {
		return api.Follow(ctx, k, synced, fn)
	}
}

// itself gives the key of the object that changed.
func itself(e store.Event, add func(objectKey)) {
	add(objectKey{Namespace: e.Item.Key.Namespace, Name: e.Item.Key.Name})
}
