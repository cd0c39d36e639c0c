package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"leme/server/store"
	"leme/server/store/storetest"
)

// storm is servers over one etcd, clients that fight for a few keys, observers that watch, and a fault.
type storm struct {
	t       *testing.T
	etcd    *storetest.Etcd
	servers []*server
	truth   *truth
	start   time.Time
	done    atomic.Int64 // calls that have ended
	newest  atomic.Int64 // the latest revision that anybody was told

	mu      sync.Mutex
	history []porcupine.Operation
	unknown []porcupine.Operation // transactions whose outcome nobody was told
	reads   []read
}

// read is one that may be of the past, with what must hold of it.
type read struct {
	kind        string
	cells       map[string]cell
	revision    int64
	least, most int64 // bounds of its revision
}

// defaultCalls is how many calls each client makes.
const defaultCalls = 200

// stormSeed is printed when a storm fails, and LEME_STORM_SEED repeats its choices; LEME_STORM_CALLS is how many calls
// each client makes.
func stormSeed(t *testing.T) (seed uint64, calls int) {
	seed, calls = rand.Uint64(), defaultCalls
	if s, err := strconv.ParseUint(os.Getenv("LEME_STORM_SEED"), 10, 64); err == nil {
		seed = s
	}
	if n, err := strconv.Atoi(os.Getenv("LEME_STORM_CALLS")); err == nil {
		calls = n
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the same choices again: LEME_STORM_SEED=%d LEME_STORM_CALLS=%d", seed, calls)
		}
	})
	return seed, calls
}

// newStorm prepares two servers over an etcd of so many members; with none, one server with etcd inside.
func newStorm(t *testing.T, members int) *storm {
	s := &storm{t: t, start: time.Now()}
	if members == 0 {
		s.servers = []*server{newServer(t, store.Config{DataDir: t.TempDir(), NoSync: true})}
		return s
	}
	s.etcd = storetest.NewEtcd(t, members, nil)
	s.truth = recordTruth(t, s.etcd.Client())
	for range 2 {
		s.servers = append(s.servers, newServerBeside(t, s.etcd))
	}
	return s
}

// lastKey is written when all clients are done.
const lastKey = "storm/last"

// run lets clients and observers loose, and the fault while they are at it, and then checks everything.
func (s *storm) run(fault func(r *rand.Rand)) {
	s.t.Helper()
	seed, calls := stormSeed(s.t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	var clients, observers sync.WaitGroup
	var watching []*observer
	for i, srv := range s.servers {
		for j := range 2 {
			o := &observer{open: srv.open, last: lastKey, slow: func(context.Context) {}}
			if j == 1 {
				o.slow = s.dozing()
			}
			watching = append(watching, o)
			observers.Go(func() {
				if err := o.run(ctx); err != nil {
					s.t.Errorf("at server %d: %v", i, err)
				}
			})
			c := &client{storm: s, server: srv, id: len(watching), rand: rand.New(rand.NewPCG(seed, uint64(len(watching))))}
			clients.Go(func() { c.run(ctx, calls) })
		}
	}
	dice := rand.New(rand.NewPCG(seed, 0))
	for range max(1, calls/defaultCalls) { // a longer storm has more faults
		fault(dice)
	}
	clients.Wait()
	s.finish(ctx)
	observers.Wait()
	s.check(watching)
}

// dozing looks away until forty more calls have ended, now and then.
func (s *storm) dozing() func(context.Context) {
	n := 0
	return func(ctx context.Context) {
		if n++; n%7 == 0 {
			s.progress(ctx, 40)
		}
	}
}

// progress waits until so many more calls have ended, or no client makes any.
func (s *storm) progress(ctx context.Context, n int64) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for until := s.done.Load() + n; s.done.Load() < until; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// finish makes the last write, which every observer must see.
func (s *storm) finish(ctx context.Context) {
	s.t.Helper()
	if s.truth == nil { // etcd ended with its server each time, but has all of its history
		s.truth = recordTruth(s.t, s.servers[0].open().Client())
	}
	for ctx.Err() == nil {
		revision, err := s.servers[0].open().Commit(ctx, store.Op{Key: keyOf("storm", "last"), Value: encoded(s.t, "storm", "last", "last")})
		var there *store.ConflictError
		if errors.As(err, &there) {
			revision, err = 0, nil
		}
		if err == nil && s.truth.await(ctx, max(revision, 1)) == nil {
			return
		}
	}
	s.t.Error("the last write was never made")
}

func (s *storm) check(watching []*observer) {
	s.t.Helper()
	sessions, events := 0, 0
	for _, o := range watching {
		for _, session := range o.sessions {
			session.check(s.t, s.truth)
			sessions, events = sessions+1, events+len(session.events)
		}
	}
	for _, r := range s.reads {
		if r.revision < r.least || r.most > 0 && r.revision > r.most {
			s.t.Errorf("%s is of %d, not of %d to %d", r.kind, r.revision, r.least, r.most)
		}
		if err := sameCells(r.cells, s.truth.at(r.revision)); err != nil {
			s.t.Errorf("%s of %d: %v", r.kind, r.revision, err)
		}
	}
	s.resolve()
	checkLinear(s.t, s.history)
	s.t.Logf("%d calls, %d outcomes told by etcd alone, %d reads of the past, %d watches with %d events", len(s.history), len(s.unknown), len(s.reads), sessions, events)
}

// resolve asks the truth for the outcome of what was cut off: it either was written, at some time after its start, or
// never.
func (s *storm) resolve() {
	for _, o := range s.unknown {
		for _, w := range o.Input.(call).writes {
			if w.value == "" {
				continue
			}
			if revision := s.truth.find(fmt.Sprintf("storm/%d", w.key), w.value); revision > 0 {
				o.Output, o.Return = answer{state: state{revision: revision}}, int64(time.Since(s.start))
				s.history = append(s.history, o)
				break
			}
		}
	}
}
