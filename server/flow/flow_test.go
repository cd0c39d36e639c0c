package flow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"leme/server/auth"
)

func newController(t *testing.T, seats int) *Controller {
	t.Helper()
	f, err := New(Config{Seats: seats, Metrics: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func user(name string, groups ...string) auth.User {
	return auth.User{Name: name, Groups: append(groups, auth.GroupAuthenticated)}
}

func reads(u auth.User) Request {
	return Request{User: u, Attributes: auth.Attributes{Verb: "list", Resource: "pods", Namespace: "default"}, Seats: 1}
}

func renews(node string) Request {
	lease := auth.Attributes{Verb: "update", Group: "coordination.k8s.io", Resource: "leases", Namespace: "kube-node-lease", Name: node}
	return Request{User: user("system:node:"+node, auth.GroupNodes), Attributes: lease, Seats: 1}
}

func TestSchemas(t *testing.T) {
	account := user("system:serviceaccount:kube-system:operator", "system:serviceaccounts")
	for want, r := range map[string]Request{
		"exempt":                       reads(user("admin", auth.GroupMasters)),
		"leme-server":                  reads(user("s", auth.GroupServers)),
		"probes":                       {User: auth.User{Groups: []string{"system:unauthenticated"}}, Attributes: auth.Attributes{Verb: "get", Path: "/readyz"}},
		"system-node-high":             renews("n1"),
		"system-nodes":                 reads(user("system:node:n1", auth.GroupNodes)),
		"system-leader-election":       {User: account, Attributes: renews("").Attributes},
		"kube-system-service-accounts": reads(account),
		"service-accounts":             reads(user("system:serviceaccount:a:b", "system:serviceaccounts")),
		"kube-scheduler":               reads(user("system:kube-scheduler")),
		"global-default":               reads(user("jane")),
		"catch-all":                    reads(auth.User{Name: "nobody"}),
	} {
		for _, s := range schemas {
			if s.matches(&r) {
				if s.name != want {
					t.Errorf("%s: matched by %s", want, s.name)
				}
				break
			}
		}
	}
}

// pass lets a bubble's clock go on.
func pass(d time.Duration) { <-time.After(d) }

// flood has a user send requests that stay until the end, and returns how many of them are served.
func flood(ctx context.Context, f *Controller, r Request, n int) (served func() int) {
	in := make(chan struct{}, n)
	for range n {
		go func() {
			done, err := f.Enter(ctx, r)
			if err != nil {
				return
			}
			in <- struct{}{}
			<-ctx.Done()
			done()
		}()
	}
	return func() int { return len(in) }
}

func TestFloodLeavesRoomForTheSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		f := newController(t, 60)
		served := flood(ctx, f, reads(user("mallory")), 5000)
		synctest.Wait()
		if n := served(); n < 5 || n > 50 {
			t.Errorf("a flood on an idle server has %d of 60 seats", n)
		}
		for i := range 5 {
			for _, r := range []Request{renews(fmt.Sprint("n", i)), reads(user("admin", auth.GroupMasters))} {
				began := time.Now()
				done, err := f.Enter(ctx, r)
				if err != nil || time.Since(began) > 0 {
					t.Errorf("%s waited %v: %v", r.User.Name, time.Since(began), err)
				}
				done()
			}
		}
	})
}

// TestTenantsTakeTurns: of two users the one who asks little is served as soon as a seat is free, however many requests
// of the other wait.
func TestTenantsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newController(t, 60)
		var order []string
		var mu sync.Mutex
		enter := func(name string) {
			done, err := f.Enter(t.Context(), reads(user(name)))
			if err != nil {
				return
			}
			mu.Lock()
			order = append(order, name)
			mu.Unlock()
			pass(100 * time.Millisecond)
			done()
		}
		var all sync.WaitGroup
		defer all.Wait()
		for range 500 {
			all.Go(func() { enter("mallory") })
		}
		synctest.Wait()
		before := len(order)
		for range 5 {
			all.Go(func() { enter("jane") })
		}
		synctest.Wait()
		pass(100 * time.Millisecond)
		synctest.Wait()
		janes := 0
		for _, name := range order[before:] {
			if name == "jane" {
				janes++
			}
		}
		if janes != 5 {
			t.Errorf("%d of jane's 5 requests were in the first %d after the flood's first %d", janes, len(order)-before, before)
		}
	})
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		f := newController(t, 60)
		flood(ctx, f, reads(user("mallory")), 5000)
		synctest.Wait()
		level := f.byName["global-default"]
		if level.waiting != queue/2 {
			t.Errorf("%d requests of one user wait, want %d", level.waiting, queue/2)
		}
		_, err := f.Enter(ctx, reads(user("mallory")))
		if r := new(Rejection); !errors.As(err, &r) || r.Reason != QueueFull {
			t.Errorf("one more: %v", err)
		}
		_, err = f.Enter(ctx, reads(user("jane")))
		if r := new(Rejection); !errors.As(err, &r) || r.Reason != TimedOut {
			t.Errorf("another user's: %v", err)
		}
		synctest.Wait()
		if level.waiting != 0 || len(level.flows) != 1 {
			t.Errorf("%d wait in %d lines after all ran out of patience", level.waiting, len(level.flows))
		}
		stop()
		synctest.Wait()
		if len(level.flows) != 0 || level.used != 0 || level.turns.Len() != 0 {
			t.Errorf("%d lines, %d seats are left behind", len(level.flows), level.used)
		}
	})
}

// TestWideRequestIsServed: small requests of other levels do not take every seat that a wide one waits for.
func TestWideRequestIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newController(t, 60)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		small := reads(user("system:serviceaccount:a:b", "system:serviceaccounts"))
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				for ctx.Err() == nil {
					if done, err := f.Enter(ctx, small); err == nil {
						pass(time.Duration(1+f.used()) * time.Millisecond)
						done()
					}
				}
			})
		}
		synctest.Wait()
		wide := reads(user("jane"))
		wide.Seats = MaxSeats
		began := time.Now()
		done, err := f.Enter(ctx, wide)
		if err != nil || time.Since(began) > time.Second {
			t.Fatalf("a wide request: %v after %v", err, time.Since(began))
		}
		done()
		done() // no harm
		stop()
		all.Wait()
		for _, s := range f.shares {
			if s.used != 0 || s.waiting != 0 {
				t.Errorf("%s: %d seats, %d waiting are left behind", s.name, s.used, s.waiting)
			}
		}
	})
}

// used is how many seats are taken.
func (f *Controller) used() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	used := 0
	for _, s := range f.shares {
		used += s.used
	}
	return used
}

func TestCatchAllIsRefusedAtItsLimit(t *testing.T) {
	f := newController(t, 600)
	nobody := reads(auth.User{Name: "nobody"})
	for range f.byName["catch-all"].nominal {
		if _, err := f.Enter(t.Context(), nobody); err != nil {
			t.Fatal(err)
		}
	}
	for range 600 {
		_, err := f.Enter(t.Context(), nobody)
		if r := new(Rejection); errors.As(err, &r) {
			if r.Reason != AtLimit {
				t.Errorf("refused because of %s", r.Reason)
			}
			return
		}
	}
	t.Error("nobody was refused")
}

// TestSeatsAreNeverExceeded is for -race, and for the sums.
func TestSeatsAreNeverExceeded(t *testing.T) {
	f := newController(t, 40)
	ended := make(chan struct{})
	users := []auth.User{user("jane"), user("joe"), user("system:node:n", auth.GroupNodes), user("system:serviceaccount:a:b", "system:serviceaccounts")}
	for i := range 64 {
		go func() {
			defer func() { ended <- struct{}{} }()
			for j := range 200 {
				r := reads(users[(i+j)%len(users)])
				r.Seats = 1 + (i*j)%MaxSeats
				done, err := f.Enter(t.Context(), r)
				if err != nil {
					t.Error(err)
					return
				}
				if used := f.used(); used > 40 {
					t.Errorf("%d of 40 seats are taken", used)
				}
				done()
			}
		}()
	}
	for range 64 {
		<-ended
	}
	if f.held != f.kept() || f.used() != 0 {
		t.Errorf("held %d, want %d", f.held, f.kept())
	}
}

func (f *Controller) kept() int {
	kept := 0
	for _, s := range f.shares {
		kept += s.kept
	}
	return kept
}

func TestTooFewSeats(t *testing.T) {
	if _, err := New(Config{Seats: 3}); err == nil {
		t.Error("three seats for seven levels are enough")
	}
}

func BenchmarkEnter(b *testing.B) {
	f, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	r := reads(user("system:serviceaccount:a:b", "system:serviceaccounts"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			done, err := f.Enter(b.Context(), r)
			if err != nil {
				b.Error(err)
				return
			}
			done()
		}
	})
}
