package controller

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/store"
	"leme/server/store/storetest"
)

// scribe is a server that, while it leads, writes its name as fast as it can.
type scribe struct {
	name  string
	store *store.Store
	line  *storetest.Proxy // its own to etcd
	made  int              // how many objects it has tried to make
}

func newScribe(t *testing.T, name string, etcd *storetest.Etcd) *scribe {
	line := storetest.NewProxy(t, etcd.Endpoints()[0])
	s := storetest.Open(t, store.Config{Endpoints: []string{line.Addr()}, Decode: storetest.Decode})
	return &scribe{name: name, store: s, line: line}
}

func scribbled(name string) store.Key {
	return store.Key{GroupResource: kind.ConfigMap.GroupResource(), Namespace: "default", Name: name}
}

// lead makes one object after the other until it may not any more: nothing but the fence could refuse them. What it
// hears of its writes does not matter, it tries on.
func (s *scribe) lead(began, ended chan<- string) func(context.Context) error {
	return func(ctx context.Context) error {
		defer func() { ended <- s.name }()
		first := true
		for ctx.Err() == nil {
			key := scribbled(fmt.Sprint(s.name, "-", s.made))
			s.made++
			value, err := store.Encode(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}, kind.ConfigMap.GroupVersionKind)
			if err != nil {
				return err
			}
			if _, err := s.store.Commit(ctx, store.Op{Key: key, Value: value}); err == nil && first {
				began <- s.name
				first = false
			}
		}
		return context.Cause(ctx)
	}
}

// TestALeaderThatWakesUpWritesNothing holds the leader's line to etcd up until another leads, then lets go what it had
// sent. Etcd's own record shows that nobody wrote after a later leader had.
func TestALeaderThatWakesUpWritesNothing(t *testing.T) {
	t.Parallel()
	etcd := storetest.NewEtcd(t, 1, nil)
	scribes := map[string]*scribe{}
	began, ended := make(chan string, 16), make(chan string, 16)
	ctx, cancel := context.WithCancel(t.Context())
	var g errgroup.Group
	defer func() {
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range []string{"one", "two"} {
		s := newScribe(t, name, etcd)
		scribes[name] = s
		g.Go(func() error { return Lead(ctx, s.store.Client(), name, s.lead(began, ended)) })
	}
	hear := func(what string, from <-chan string) string {
		t.Helper()
		select {
		case name := <-from:
			return name
		case <-time.After(20 * time.Second):
			t.Fatalf("nobody has %s within 20 s", what)
			return ""
		}
	}
	leaders := []string{hear("begun to lead", began)}
	for range 2 {
		asleep := scribes[leaders[len(leaders)-1]]
		asleep.line.Hold()
		since := time.Now()
		leaders = append(leaders, hear("begun to lead", began))
		if took := time.Since(since); took > 10*time.Second {
			t.Errorf("another leads only after %v", took)
		}
		asleep.line.Release()
		if name := hear("ceased to lead", ended); name != asleep.name {
			t.Fatalf("%s ceased to lead, %s slept", name, asleep.name)
		}
	}
	writers := writersOf(t, etcd.Client())
	if fmt.Sprint(writers) != fmt.Sprint(leaders) {
		t.Errorf("led, one after the other: %v; wrote: %v", leaders, writers)
	}
}

// writersOf reads from etcd's record who wrote, each name once for all that it wrote without another in between.
func writersOf(t *testing.T, client *clientv3.Client) (names []string) {
	written, err := client.Get(t.Context(), scribbled("").String(), clientv3.WithPrefix(), clientv3.WithKeysOnly(),
		clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		t.Fatal(err)
	}
	for _, kv := range written.Kvs {
		by, _, _ := strings.Cut(strings.TrimPrefix(string(kv.Key), scribbled("").String()), "-")
		if len(names) == 0 || names[len(names)-1] != by {
			names = append(names, by)
		}
	}
	return names
}

// TestAnOverdueLeaseIsEnded has a predecessor whose candidacy stays though nobody renews it.
func TestAnOverdueLeaseIsEnded(t *testing.T) {
	t.Parallel()
	client := storetest.New(t).Client()
	if _, err := client.Put(t.Context(), electionPrefix+"dead", "dead"); err != nil { // under no lease at all
		t.Fatal(err)
	}
	mine, err := client.Grant(t.Context(), leaseSeconds)
	if err != nil {
		t.Fatal(err)
	}
	c, err := stand(t.Context(), client, mine.ID, "next")
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := c.first(t.Context())
	if err != nil || string(first.Value) != "dead" {
		t.Fatalf("%v, %v", first, err)
	}
	if err := c.await(t.Context()); err != nil {
		t.Error(err)
	}
}
