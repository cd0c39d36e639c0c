package nodeapi

import (
	"context"
	"sync"
	"time"

	"leme/nodeagent/disk"
	"leme/nodeagent/pod"
)

// stored is what a container takes of the disk.
type stored struct {
	at         time.Time
	layer, log disk.Usage
}

const (
	storedEvery  = time.Minute      // at most: walking through what containers have written is work
	storedWithin = 30 * time.Second // what has not been walked through by then is as it was
)

// store knows what containers take of the disk. It looks in the background, while somebody wants to know.
type store struct {
	mu     sync.Mutex
	of     map[string]stored // by the containers' IDs
	asked  chan struct{}     // one value while somebody wants to know
	engine Observer
}

func newStore(engine Observer) *store {
	return &store{of: map[string]stored{}, asked: make(chan struct{}, 1), engine: engine}
}

// known is what was found last, by the containers' IDs. It makes the store look again, when the time comes.
func (s *store) known() map[string]stored {
	select {
	case s.asked <- struct{}{}:
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of
}

// run looks until ctx ends.
func (s *store) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.asked:
		}
		s.look(ctx)
		rest := time.NewTimer(storedEvery)
		select {
		case <-ctx.Done():
			rest.Stop()
			return
		case <-rest.C:
		}
	}
}

// look replaces what is known.
func (s *store) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storedWithin)
	defer cancel()
	all, err := s.engine.Containers(ctx)
	if err != nil {
		return // what is known stays, and is told with its time
	}
	s.mu.Lock()
	before := s.of
	s.mu.Unlock()
	found := make(map[string]stored, len(all))
	for _, c := range all {
		if c.Sandbox || c.State != pod.Running {
			continue
		}
		if old, ok := before[c.ID]; ok {
			found[c.ID] = old
		}
		if layer, log, err := s.engine.Stored(ctx, c.ID); err == nil {
			found[c.ID] = stored{time.Now(), layer, log}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = found
}
