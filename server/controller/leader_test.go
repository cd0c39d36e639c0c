package controller

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"

	"leme/server/store/storetest"
)

// leadership tells who has begun and ceased to lead.
type leadership struct {
	t        *testing.T
	client   *clientv3.Client
	began    chan string
	leading  atomic.Int32
	mostEver atomic.Int32
}

func (l *leadership) campaign(ctx context.Context, g *errgroup.Group, name string) {
	g.Go(func() error {
		return Lead(ctx, l.client, name, func(ctx context.Context) error {
			l.mostEver.Store(max(l.mostEver.Load(), l.leading.Add(1)))
			defer l.leading.Add(-1)
			l.began <- name
			<-ctx.Done()
			return nil
		})
	})
}

func (l *leadership) next() string {
	l.t.Helper()
	select {
	case name := <-l.began:
		return name
	case <-time.After(10 * time.Second):
		l.t.Fatal("nobody leads for 10 seconds")
		return ""
	}
}

func TestOneLeadsAtATime(t *testing.T) {
	l := &leadership{t: t, client: storetest.New(t).Client(), began: make(chan string, 3)}
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	stop := map[string]context.CancelFunc{}
	for _, name := range []string{"a", "b", "c"} {
		var own context.Context
		own, stop[name] = context.WithCancel(ctx)
		l.campaign(own, &g, name)
	}
	first := l.next()
	stop[first]()
	second := l.next()
	if second == first {
		t.Errorf("%s leads after it was stopped", first)
	}
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if n := l.mostEver.Load(); n != 1 {
		t.Errorf("%d led at once", n)
	}
}

// TestDeadLeaderIsReplaced has a leader that ends without a word: its lease stays until its time is over.
func TestDeadLeaderIsReplaced(t *testing.T) {
	t.Parallel()
	l := &leadership{t: t, client: storetest.New(t).Client(), began: make(chan string, 1)}
	session, err := newSession(t.Context(), l.client)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stand(t.Context(), l.client, session.Lease(), "dead"); err != nil {
		t.Fatal(err)
	}
	session.Orphan()
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	l.campaign(ctx, &g, "next")
	l.next()
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLostLeaseEndsTheLeadership(t *testing.T) {
	l := &leadership{t: t, client: storetest.New(t).Client(), began: make(chan string, 3)}
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	l.campaign(ctx, &g, "a")
	l.next()
	leases, err := l.client.Leases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, lease := range leases.Leases {
		if _, err := l.client.Revoke(ctx, lease.ID); err != nil {
			t.Fatal(err)
		}
	}
	l.next() // it has noticed, stopped, and won again
	cancel()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

func TestLeaderThatFailsCampaignsAgain(t *testing.T) {
	client := storetest.New(t).Client()
	tries := 0
	err := Lead(t.Context(), client, "a", func(context.Context) error {
		if tries++; tries == 1 {
			return errors.New("a part has failed")
		}
		return nil
	})
	if err != nil || tries != 2 {
		t.Errorf("%d tries, %v", tries, err)
	}
}
