package nodeapi

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

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

// store knows what containers and volumes take of the disk. It looks in the background, while somebody wants to know.
type store struct {
	mu     sync.Mutex
	of     map[string]stored         // by the containers' IDs
	in     map[types.UID][]volumeUse // by the pods' UIDs
	asked  chan struct{}             // one value while somebody wants to know
	engine Observer
	pods   Pods
}

func newStore(engine Observer, pods Pods) *store {
	return &store{of: map[string]stored{}, asked: make(chan struct{}, 1), engine: engine, pods: pods}
}

// known is what was found last of containers, by their IDs. It makes the store look again, when the time comes.
func (s *store) known() map[string]stored {
	s.ask()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of
}

// volumes is what was found last of volumes, by their pods' UIDs, and makes the store look again likewise.
func (s *store) volumes() map[types.UID][]volumeUse {
	s.ask()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in
}

func (s *store) ask() {
	select {
	case s.asked <- struct{}{}:
	default:
	}
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
	volumes := s.in
	s.mu.Unlock()
	volumes = measureVolumes(ctx, s.pods, volumes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of, s.in = found, volumes
}
