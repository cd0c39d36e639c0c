package source

import (
	"context"
	"sync"
	"time"
)

// cached is a value that is fetched in the background, believed for a while, then fetched again while
// the old one is still given.
type cached[T any] struct {
	fetch func(context.Context) (T, error)

	mu      sync.Mutex
	value   T
	fetched time.Time
	running chan struct{} // closed when the fetch under way ends; nil when there is none
}

// get gives the value, after waiting at most wait for the first one. changed is called when a fetch has ended.
func (v *cached[T]) get(ctx context.Context, wait time.Duration, changed func()) T {
	v.mu.Lock()
	if v.running == nil && time.Since(v.fetched) > fresh {
		v.running = make(chan struct{})
		go v.refresh(ctx, changed)
	}
	running, first := v.running, v.fetched.IsZero()
	v.mu.Unlock()
	if first && wait > 0 {
		await(running, wait)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.value
}

func (v *cached[T]) refresh(ctx context.Context, changed func()) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	value, err := v.fetch(ctx)
	v.mu.Lock()
	if err == nil {
		v.value, v.fetched = value, time.Now()
	}
	close(v.running)
	v.running = nil
	v.mu.Unlock()
	if err == nil {
		changed()
	}
}

func await(done <-chan struct{}, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
