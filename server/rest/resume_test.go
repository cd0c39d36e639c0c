package rest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// together changes config maps in one transaction: they get one revision.
func (b *bed) together(ctx context.Context, data string, names ...string) error {
	var changes []resource.Change
	for _, name := range names {
		changes = append(changes, resource.Change{
			Target: resource.Target{Kind: kind.ConfigMap, Namespace: "default", Name: name},
			Mutate: func(o runtime.Object) error {
				o.(*corev1.ConfigMap).Data = map[string]string{"value": data}
				return nil
			},
		})
	}
	for _, err := range b.api.UpdateMany(ctx, changes) {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bed) maps(t *testing.T, names ...string) corev1client.ConfigMapInterface {
	t.Helper()
	maps := b.client().CoreV1().ConfigMaps("default")
	for _, name := range names {
		if _, err := maps.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return maps
}

// TestTornStream: a client whose connection breaks off between two events of one revision misses neither.
func TestTornStream(t *testing.T) {
	b := newBed(t, &tls.Config{})
	maps := b.maps(t, "a", "b")
	list, err := maps.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.together(t.Context(), "new", "a", "b"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r := &reader{maps: maps, version: list.ResourceVersion, told: map[string]string{}}
	if err := r.read(ctx, 1, "none"); err != nil || len(r.told) != 1 {
		t.Fatalf("the first event: %v, %v", r.told, err)
	}
	if err := r.read(ctx, 2, "none"); err != nil || r.told["a"] != "new" || r.told["b"] != "new" {
		t.Errorf("after the break the client knows %v, %v", r.told, err)
	}
}

// reader watches as client-go's reflector does: it goes on from the version of the last event.
type reader struct {
	maps    corev1client.ConfigMapInterface
	version string
	told    map[string]string // the newest value by name
	heard   []string          // every event, once
}

// read watches until so many events have come, or the last value of d, then drops the connection.
func (r *reader) read(ctx context.Context, events int, last string) error {
	w, err := r.maps.Watch(ctx, metav1.ListOptions{ResourceVersion: r.version})
	if err != nil {
		return err
	}
	defer w.Stop()
	for n := 0; n < events && r.told["d"] != last; n++ {
		select {
		case e, ok := <-w.ResultChan():
			m, isMap := e.Object.(*corev1.ConfigMap)
			if !ok || !isMap {
				return fmt.Errorf("the watch ended: %v", e.Object)
			}
			if e.Type != watch.Modified {
				return fmt.Errorf("%s came for %s", e.Type, m.Name)
			}
			r.version, r.told[m.Name] = m.ResourceVersion, m.Data["value"]
			r.hear(m.ResourceVersion + " " + m.Name + " " + m.Data["value"])
		case <-ctx.Done():
			return fmt.Errorf("after %v nothing came: %w", r.told, ctx.Err())
		}
	}
	return nil
}

// hear notes an event, which may come again after a break if it is of the revision at which that was.
func (r *reader) hear(event string) {
	for _, h := range r.heard {
		if h == event {
			return
		}
	}
	r.heard = append(r.heard, event)
}

// TestReadersThatBreakOff: many transactions, and readers whose connections break off at any event: each has been told
// of everything that etcd has, and in its order. LEME_RESUME_SEED repeats a run's choices, LEME_RESUME_WRITES (60) is how
// many transactions there are.
func TestReadersThatBreakOff(t *testing.T) {
	seed, writes := rand.Uint64(), 60
	if n, err := strconv.ParseUint(os.Getenv("LEME_RESUME_SEED"), 10, 64); err == nil {
		seed = n
	}
	if n, err := strconv.Atoi(os.Getenv("LEME_RESUME_WRITES")); err == nil {
		writes = n
	}
	b := newBed(t, &tls.Config{})
	maps := b.maps(t, fought...)
	list, err := maps.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	readers := make([]*reader, 4)
	for i := range readers {
		r := &reader{maps: maps, version: list.ResourceVersion, told: map[string]string{}}
		readers[i] = r
		reading.Go(func() {
			if err := r.breaks(t.Context(), rand.New(rand.NewPCG(seed, uint64(i))), fmt.Sprint(writes-1)); err != nil {
				t.Errorf("reader %d: %v", i, err)
			}
		})
	}
	b.write(t, rand.New(rand.NewPCG(seed, 99)), writes)
	reading.Wait()
	want := b.record(t, list.ResourceVersion)
	for i, r := range readers {
		if !slices.Equal(r.heard, want) {
			t.Errorf("seed %d: reader %d heard\n%v\nwant\n%v", seed, i, r.heard, want)
		}
	}
}

// fought are the config maps that transactions change.
var fought = []string{"a", "b", "c", "d"}

// write makes transactions of two to four config maps; the last is of all.
func (b *bed) write(t *testing.T, dice *rand.Rand, writes int) {
	t.Helper()
	for n := range writes {
		some := fought[dice.IntN(2) : 2+dice.IntN(3)]
		if n == writes-1 {
			some = fought
		}
		if err := b.together(t.Context(), fmt.Sprint(n), some...); err != nil {
			t.Fatal(err)
		}
	}
}

// breaks reads with a new connection every few events, until the last value of d.
func (r *reader) breaks(ctx context.Context, dice *rand.Rand, last string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for r.told["d"] != last {
		if err := r.read(ctx, 1+dice.IntN(5), last); err != nil {
			return err
		}
	}
	return nil
}

// record is what etcd itself says of the config maps after a version.
func (b *bed) record(t *testing.T, version string) (all []string) {
	t.Helper()
	from, err := strconv.ParseInt(version, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	newest := b.api.Store().Snapshot(kind.ConfigMap.GroupResource()).Revision()
	prefix := store.Prefix + "core/configmaps/default/"
	for r := range b.api.Store().Client().Watch(t.Context(), prefix, clientv3.WithPrefix(), clientv3.WithRev(from+1)) {
		for _, e := range r.Events {
			var m corev1.ConfigMap
			if err := json.Unmarshal(e.Kv.Value, &m); err != nil {
				t.Fatal(err)
			}
			all = append(all, fmt.Sprint(e.Kv.ModRevision, " ", m.Name, " ", m.Data["value"]))
		}
		if r.Header.Revision >= newest {
			break
		}
	}
	return all
}
