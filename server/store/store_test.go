package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/store"
	"leme/server/store/storetest"
)

var configMaps = schema.GroupResource{Resource: "configmaps"}

func keyOf(namespace, name string) store.Key {
	return store.Key{GroupResource: configMaps, Namespace: namespace, Name: name}
}

func encoded(t testing.TB, namespace, name, value string) []byte {
	t.Helper()
	raw, err := store.Encode(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, ResourceVersion: "7"},
		Data:       map[string]string{"value": value},
	}, corev1.SchemeGroupVersion.WithKind("ConfigMap"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func put(t testing.TB, s *store.Store, key store.Key, value string, expect int64) int64 {
	t.Helper()
	revision, err := s.Commit(t.Context(), store.Op{Key: key, Value: encoded(t, key.Namespace, key.Name, value), Expect: expect})
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func value(t testing.TB, it *store.Item) string {
	t.Helper()
	object, err := it.Object()
	if err != nil {
		t.Fatal(err)
	}
	m := object.(*corev1.ConfigMap)
	if got := fmt.Sprint(it.Revision); m.ResourceVersion != got {
		t.Errorf("%s shows resourceVersion %s, is at %s", it.Key, m.ResourceVersion, got)
	}
	return m.Data["value"]
}

func TestAWriteIsReadAtOnce(t *testing.T) {
	s := storetest.New(t)
	key := keyOf("default", "a")
	first := put(t, s, key, "1", 0)
	if it := s.Snapshot(configMaps).Get("default", "a"); it == nil || value(t, it) != "1" || it.Revision != first {
		t.Fatalf("after the create the cache has %+v", it)
	}
	second := put(t, s, key, "2", first)
	if got := value(t, s.Snapshot(configMaps).Get("default", "a")); got != "2" {
		t.Errorf("after the update the cache has %s", got)
	}
	if _, err := s.Commit(t.Context(), store.Op{Key: key, Expect: second}); err != nil {
		t.Fatal(err)
	}
	if it := s.Snapshot(configMaps).Get("default", "a"); it != nil {
		t.Errorf("after the deletion the cache has %s", it.JSON)
	}
}

func TestAStaleWriteIsRefused(t *testing.T) {
	s := storetest.New(t)
	key := keyOf("default", "a")
	first := put(t, s, key, "1", 0)
	second := put(t, s, key, "2", first)
	for name, op := range map[string]store.Op{
		"create of what exists": {Key: key, Value: encoded(t, "default", "a", "x")},
		"update of the past":    {Key: key, Value: encoded(t, "default", "a", "x"), Expect: first},
		"deletion of the past":  {Key: key, Expect: first},
		"update of nothing":     {Key: keyOf("default", "b"), Value: encoded(t, "default", "b", "x"), Expect: second},
	} {
		var conflict *store.ConflictError
		good := store.Op{Key: keyOf("default", "c"), Value: encoded(t, "default", "c", "x")}
		if _, err := s.Commit(t.Context(), good, op); !errors.As(err, &conflict) || conflict.Key != op.Key {
			t.Errorf("%s: %v", name, err)
		}
		if s.Snapshot(configMaps).Get("default", "c") != nil {
			t.Fatalf("%s: half of the transaction was written", name)
		}
	}
}

func TestListsAreSortedAndBounded(t *testing.T) {
	s := storetest.New(t)
	for _, key := range []store.Key{keyOf("b", "1"), keyOf("a", "2"), keyOf("a-b", "1"), keyOf("a", "1"), keyOf("b", "2")} {
		put(t, s, key, "", 0)
	}
	snapshot, err := s.Consistent(t.Context(), configMaps)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ namespace, afterNamespace, afterName, want string }{
		{"", "", "", "a/1 a/2 a-b/1 b/1 b/2 "},
		{"a", "", "", "a/1 a/2 "},
		{"a", "a", "1", "a/2 "},
		{"", "a", "2", "a-b/1 b/1 b/2 "},
		{"c", "", "", ""},
	} {
		got := ""
		snapshot.Ascend(c.namespace, c.afterNamespace, c.afterName, func(it *store.Item) bool {
			got += it.Key.Namespace + "/" + it.Key.Name + " "
			return true
		})
		if got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestAWatchIsWhatAListMisses(t *testing.T) {
	s := storetest.New(t)
	key := keyOf("default", "a")
	first := put(t, s, key, "1", 0)
	second := put(t, s, key, "2", first)
	last, err := s.Commit(t.Context(), store.Op{Key: key, Expect: second})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Watch(configMaps, first)
	if err != nil {
		t.Fatal(err)
	}
	var events []store.Event
	for len(events) < 2 {
		more, err := w.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, more...)
	}
	if e := events[0]; e.Type != watch.Modified || value(t, e.Item) != "2" || value(t, e.Prev) != "1" {
		t.Errorf("first event: %+v", e)
	}
	if e := events[1]; e.Type != watch.Deleted || value(t, e.Item) != "2" || e.Item.Revision != last {
		t.Errorf("second event: %+v", e)
	}
	if w.Revision() < last {
		t.Errorf("everything was returned, but the bookmark says %d, not %d", w.Revision(), last)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled read: %v", err)
	}
}

func TestASlowReaderIsLeftBehind(t *testing.T) {
	s := storetest.New(t)
	key := keyOf("default", "a")
	revision := put(t, s, key, "", 0)
	first := revision
	w, err := s.Watch(configMaps, revision)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		revision = put(t, s, key, fmt.Sprint(i), revision)
	}
	if _, err := w.Next(t.Context()); !errors.Is(err, store.ErrExpired) {
		t.Errorf("the slow reader: %v", err)
	}
	if _, err := s.Watch(configMaps, first); !errors.Is(err, store.ErrExpired) {
		t.Errorf("resuming from too far back: %v", err)
	}
}

// TestCatchingUp: a store that was cut off comes back in steps; until it has arrived it does not say so.
func TestCatchingUp(t *testing.T) {
	etcd := storetest.NewEtcd(t, 1, nil)
	behind := newServerBeside(t, etcd)
	client, raw := etcd.Client(), encoded(t, "default", "a", "1")
	behind.cut(true)
	const writes = 3000 // etcd tells of a thousand revisions at once
	var revision int64
	for range writes {
		r, err := client.Put(t.Context(), keyOf("default", "a").String(), string(raw))
		if err != nil {
			t.Fatal(err)
		}
		revision = r.Header.Revision
	}
	arrived := make(chan *store.Snapshot)
	go func() {
		defer close(arrived)
		for t.Context().Err() == nil {
			if snapshot, err := behind.open().NotOlderThan(t.Context(), configMaps, revision); err == nil {
				arrived <- snapshot
				return
			}
		}
	}()
	behind.mend()
	if snapshot := <-arrived; snapshot == nil || snapshot.Get("default", "a") == nil || snapshot.Get("default", "a").Revision != revision {
		t.Errorf("the store says it is at %d, and is not: %+v", revision, snapshot)
	}
}

func TestThePastCanBeRead(t *testing.T) {
	s := storetest.New(t)
	key := keyOf("default", "a")
	first := put(t, s, key, "1", 0)
	second := put(t, s, key, "2", first)
	past, err := s.At(t.Context(), configMaps, first)
	if err != nil {
		t.Fatal(err)
	}
	if got := value(t, past.Get("default", "a")); got != "1" {
		t.Errorf("at the first revision it was %s", got)
	}
	if _, err := s.At(t.Context(), configMaps, second+10); !errors.Is(err, store.ErrFuture) {
		t.Errorf("the future: %v", err)
	}
	if _, err := s.NotOlderThan(t.Context(), configMaps, second); err != nil {
		t.Errorf("not older than what is there: %v", err)
	}
	if _, err := s.Client().Compact(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if _, err := s.At(t.Context(), configMaps, first); !errors.Is(err, store.ErrExpired) {
		t.Errorf("the compacted past: %v", err)
	}
}

func TestKeysThatAreNoObjectsDoNotHoldReadsUp(t *testing.T) {
	s := storetest.New(t)
	for _, key := range []string{store.Prefix + "stray", "/elsewhere"} {
		if _, err := s.Client().Put(t.Context(), key, "x"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := s.Consistent(ctx, configMaps); err != nil {
			t.Fatalf("after a write to %s: %v", key, err)
		}
	}
}

func BenchmarkCommit(b *testing.B) {
	s := storetest.New(b)
	raw := encoded(b, "default", "a", "1")
	n := 0
	for b.Loop() {
		n++
		if _, err := s.Commit(b.Context(), store.Op{Key: keyOf("default", fmt.Sprint(n)), Value: raw}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConsistentGet(b *testing.B) {
	s := storetest.New(b)
	put(b, s, keyOf("default", "a"), "1", 0)
	b.ReportAllocs()
	for b.Loop() {
		snapshot, err := s.Consistent(b.Context(), configMaps)
		if err != nil || snapshot.Get("default", "a") == nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFanOut is one event to 1,000 watchers.
func BenchmarkFanOut(b *testing.B) {
	s := storetest.New(b)
	key := keyOf("default", "a")
	revision := put(b, s, key, "1", 0)
	got := make(chan int, 1000)
	for range 1000 {
		w, err := s.Watch(configMaps, revision)
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			for {
				events, err := w.Next(b.Context())
				if err != nil {
					return
				}
				got <- len(events)
			}
		}()
	}
	b.ReportAllocs()
	for b.Loop() {
		revision = put(b, s, key, "2", revision)
		for seen := 0; seen < 1000; {
			seen += <-got
		}
	}
}
