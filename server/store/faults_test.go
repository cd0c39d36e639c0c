package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"leme/server/store"
)

// TestStorms: whatever happens to servers and etcd, writes are linearizable, reads are of their revision, and a watch is
// what came after its list, each event once.
func TestStorms(t *testing.T) {
	for _, tt := range []struct {
		name    string
		members int // of etcd; 0: it is inside
		fault   func(s *storm, r *rand.Rand)
	}{
		{"calm", 1, func(*storm, *rand.Rand) {}},
		{"lines are cut", 1, cutLines},
		{"lines lag", 3, lagBehind},
		{"history is compacted", 1, compactAway},
		{"servers start anew", 1, restartServers},
		{"a server with etcd inside starts anew", 0, restartServers},
		{"the cache overflows", 1, flood},
		{"etcd's leader dies", 3, killLeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStorm(t, tt.members)
			s.run(func(r *rand.Rand) { tt.fault(s, r) })
		})
	}
}

func (s *storm) any(r *rand.Rand) *server { return s.servers[r.IntN(len(s.servers))] }

// cutLines breaks servers' connections; they resume where they were.
func cutLines(s *storm, r *rand.Rand) {
	for range 5 {
		srv := s.any(r)
		srv.cut(r.IntN(2) == 0)
		s.progress(s.t.Context(), 20)
		srv.mend()
		s.progress(s.t.Context(), 20)
	}
}

// lagBehind holds back what one member says while the others answer: a server may know that it is behind, but not more.
func lagBehind(s *storm, r *rand.Rand) {
	for range 8 {
		proxies := s.any(r).proxies
		p := proxies[r.IntN(len(proxies))]
		p.Hold()
		s.progress(s.t.Context(), 20)
		p.Release()
	}
}

// compactAway lets servers come back to an etcd that has forgotten where they were: they load everything anew.
func compactAway(s *storm, r *rand.Rand) {
	for range 4 {
		srv := s.any(r)
		srv.cut(true)
		s.progress(s.t.Context(), 40)
		s.compact()
		srv.mend()
		s.progress(s.t.Context(), 40)
	}
}

// compact makes etcd forget all but the newest revision that is on record.
func (s *storm) compact() {
	s.t.Helper()
	changes := s.truth.after(0)
	if len(changes) == 0 {
		return
	}
	if _, err := s.etcd.Client().Compact(s.t.Context(), changes[len(changes)-1].revision); err != nil {
		s.t.Errorf("compacting: %v", err)
	}
}

func restartServers(s *storm, r *rand.Rand) {
	for range 4 {
		s.progress(s.t.Context(), 60)
		s.any(r).restart()
	}
}

// flood makes more events than the cache keeps, in large transactions, while some readers look away.
func flood(s *storm, r *rand.Rand) {
	known, name := map[string]int64{}, fmt.Sprint("flood-", r.Uint32())
	for n := range 40 {
		ops := make([]store.Op, store.MaxOps)
		for i := range ops {
			key := keyOf(name, fmt.Sprint(i))
			ops[i] = store.Op{Key: key, Value: encoded(s.t, name, key.Name, fmt.Sprintf("flood %d", n)), Expect: known[key.Name]}
			if ops[i].Expect > 0 && r.IntN(9) == 0 {
				ops[i].Value = nil
			}
		}
		revision, err := s.servers[0].open().Commit(context.Background(), ops...)
		if err != nil {
			s.t.Errorf("the flood: %v", err)
			return
		}
		for _, op := range ops {
			if known[op.Key.Name] = revision; op.Value == nil {
				known[op.Key.Name] = 0
			}
		}
	}
}

func killLeader(s *storm, _ *rand.Rand) {
	for range 2 {
		s.progress(s.t.Context(), 60)
		member := s.etcd.StopLeader()
		s.progress(s.t.Context(), 60)
		s.etcd.Start(member)
	}
}
