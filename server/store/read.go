package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/tracing"
)

// Snapshot is what the cache holds now (resourceVersion=0). It does no I/O.
func (s *Store) Snapshot(gr schema.GroupResource) *Snapshot { return s.cache.snapshot(gr) }

// Consistent waits until the cache has reached etcd's revision of this moment.
func (s *Store) Consistent(ctx context.Context, gr schema.GroupResource) (*Snapshot, error) {
	ctx, span := tracing.Start(ctx, "etcd consistent read")
	defer span.End()
	revision, err := s.latest.get(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking etcd for its revision: %w", err)
	}
	if err := s.await(ctx, revision); err != nil {
		return nil, err
	}
	return s.cache.snapshot(gr), nil
}

// patience is how long NotOlderThan waits for a revision that etcd may never reach.
const patience = 3 * time.Second

// NotOlderThan waits until the cache has reached a revision; ErrFuture when it does not within three seconds.
func (s *Store) NotOlderThan(ctx context.Context, gr schema.GroupResource, revision int64) (*Snapshot, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrFuture)
	defer cancel()
	if err := s.await(ctx, revision); err != nil {
		return nil, err
	}
	return s.cache.snapshot(gr), nil
}

// At gives the past as etcd still has it; ErrExpired once it is compacted.
func (s *Store) At(ctx context.Context, gr schema.GroupResource, revision int64) (*Snapshot, error) {
	items, _, err := s.load(ctx, revision, resourcePrefix(gr))
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		return nil, ErrExpired
	case errors.Is(err, rpctypes.ErrFutureRev):
		return nil, ErrFuture
	case err != nil:
		return nil, err
	}
	tree := newTree()
	for _, it := range items {
		tree.ReplaceOrInsert(it)
	}
	return &Snapshot{tree: tree, revision: revision}, nil
}

// progressAfter is how long the cache may lack a revision before etcd is asked for its watch's progress:
// the revision may be of a key that is no object.
const progressAfter = 5 * time.Millisecond

// await returns once the cache holds everything up to a revision.
func (s *Store) await(ctx context.Context, revision int64) error {
	reached := s.cache.reached(revision)
	if reached == nil {
		return nil
	}
	for wait := progressAfter; ; wait = min(2*wait, time.Second) {
		timer := time.NewTimer(wait)
		select {
		case <-reached:
			timer.Stop()
			return nil
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-s.stopped:
			timer.Stop()
			return errors.New("the store has stopped")
		case <-timer.C:
			// The watch's own stream is the one that was opened with the same demand for a leader.
			if err := s.client.RequestProgress(clientv3.WithRequireLeader(ctx)); err != nil {
				return fmt.Errorf("asking etcd how far its watch is: %w", err)
			}
		}
	}
}

// etcdRevision is etcd's revision, agreed on by a majority.
func (s *Store) etcdRevision(ctx context.Context) (int64, error) {
	began := time.Now()
	r, err := s.client.Get(ctx, Prefix)
	s.metrics.asked("getCurrentRevision", schema.GroupResource{}, began, err)
	if err != nil {
		return 0, err
	}
	return r.Header.Revision, nil
}

// latest shares one question for etcd's revision among all who ask before it is put: an answer is
// good only for who came before the question.
type latest struct {
	ask func(context.Context) (int64, error)

	mu   sync.Mutex
	next *question // not put yet
	busy bool
}

type question struct {
	done     chan struct{}
	revision int64
	err      error
}

// askFor bounds one question: its asker's own context must not end it for the others.
const askFor = 10 * time.Second

func (l *latest) get(ctx context.Context) (int64, error) {
	l.mu.Lock()
	if l.next == nil {
		l.next = &question{done: make(chan struct{})}
	}
	q := l.next
	if !l.busy {
		l.busy = true
		go l.run()
	}
	l.mu.Unlock()
	select {
	case <-q.done:
		return q.revision, q.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// run puts questions until nobody waits.
func (l *latest) run() {
	for {
		l.mu.Lock()
		q := l.next
		l.next = nil
		if q == nil {
			l.busy = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), askFor)
		q.revision, q.err = l.ask(ctx)
		cancel()
		close(q.done)
	}
}
