package controller

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"leme/server/store"
)

func TestLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var running, most, failures, again atomic.Int32
		l := &loop[string]{name: "test", workers: 4}
		l.sources = []source[string]{{
			follow: func(ctx context.Context, synced func(), fn func(store.Event)) error {
				for range 10 {
					fn(store.Event{})
				}
				synced()
				<-ctx.Done()
				return nil
			},
			keys: func(_ store.Event, add func(string)) { add("same"); add("fails") },
		}}
		l.reconcile = func(_ context.Context, key string) (time.Duration, error) {
			if key == "fails" {
				if failures.Add(1) <= 3 {
					return 0, errors.New("not yet")
				}
				return 0, nil
			}
			most.Store(max(most.Load(), running.Add(1)))
			<-time.After(time.Second) // of the bubble's clock
			running.Add(-1)
			if again.Add(1) < 3 {
				return time.Minute, nil
			}
			return 0, nil
		}
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		<-time.After(time.Hour)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if most.Load() != 1 {
			t.Errorf("one key was with %d workers at once", most.Load())
		}
		if again.Load() != 3 {
			t.Errorf("looked at %d times, want once for ten events and twice by the clock", again.Load())
		}
		if failures.Load() != 4 {
			t.Errorf("tried %d times, want until it went well", failures.Load())
		}
	})
}

func TestLoopEndsWithItsSource(t *testing.T) {
	broken := errors.New("the source broke")
	l := &loop[string]{name: "test", workers: 1, sources: []source[string]{{
		follow: func(context.Context, func(), func(store.Event)) error { return broken },
	}}}
	if err := l.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestSlowStart(t *testing.T) {
	var calls atomic.Int32
	done, err := slowStart(100, func(int) error {
		if calls.Add(1) > 3 {
			return errors.New("refused")
		}
		return nil
	})
	if err == nil || done != 3 || calls.Load() != 7 {
		t.Errorf("%d of %d calls went well, %v; want 3 of 7: batches of 1, 2 and 4", done, calls.Load(), err)
	}
}
