package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"

	"leme/server/store"
)

// change is what happened to a key, as etcd has it; value "" is a deletion.
type change struct {
	revision int64
	key      string // namespace/name
	value    string
	before   cell
}

// truth is every change of the config maps since the beginning, from etcd itself and not by way of the store.
type truth struct {
	mu      sync.Mutex
	changes []change
	seen    chan struct{} // closed, and made anew, at each change
	cancel  context.CancelFunc
	ended   chan struct{}
}

const mapsPrefix = store.Prefix + "core/configmaps/"

// recordTruth follows etcd until the test ends.
func recordTruth(t *testing.T, client *clientv3.Client) *truth {
	ctx, cancel := context.WithCancel(context.Background())
	tr := &truth{seen: make(chan struct{}), cancel: cancel, ended: make(chan struct{})}
	events := client.Watch(ctx, mapsPrefix, clientv3.WithPrefix(), clientv3.WithPrevKV(), clientv3.WithRev(1))
	go func() {
		defer close(tr.ended)
		for r := range events {
			if err := r.Err(); err != nil && ctx.Err() == nil {
				t.Errorf("the truth is lost: %v", err)
			}
			tr.add(r.Events)
		}
	}()
	t.Cleanup(func() { cancel(); <-tr.ended })
	return tr
}

func (tr *truth) add(events []*clientv3.Event) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, e := range events {
		c := change{revision: e.Kv.ModRevision, key: strings.TrimPrefix(string(e.Kv.Key), mapsPrefix), value: stored(e.Kv.Value)}
		if e.PrevKv != nil {
			c.before = cell{e.PrevKv.ModRevision, stored(e.PrevKv.Value)}
		}
		tr.changes = append(tr.changes, c)
	}
	close(tr.seen)
	tr.seen = make(chan struct{})
}

// stored is the value in what etcd holds of a config map.
func stored(raw []byte) string {
	var m corev1.ConfigMap
	if len(raw) > 0 && json.Unmarshal(raw, &m) != nil {
		return "unreadable"
	}
	return m.Data["value"]
}

// await blocks until the record has reached a revision.
func (tr *truth) await(ctx context.Context, revision int64) error {
	for {
		tr.mu.Lock()
		n, seen := len(tr.changes), tr.seen
		reached := n > 0 && tr.changes[n-1].revision >= revision
		tr.mu.Unlock()
		if reached {
			return nil
		}
		select {
		case <-seen:
		case <-ctx.Done():
			return fmt.Errorf("the record has not reached %d: %w", revision, ctx.Err())
		}
	}
}

// after are the changes later than a revision.
func (tr *truth) after(revision int64) []change {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	i := sort.Search(len(tr.changes), func(i int) bool { return tr.changes[i].revision > revision })
	return tr.changes[i:len(tr.changes):len(tr.changes)]
}

// at is everything there was at a revision.
func (tr *truth) at(revision int64) map[string]cell {
	all := map[string]cell{}
	for _, c := range tr.after(0) {
		switch {
		case c.revision > revision:
			return all
		case c.value == "":
			delete(all, c.key)
		default:
			all[c.key] = cell{c.revision, c.value}
		}
	}
	return all
}

// find is the revision at which a value was written; 0 when it never was.
func (tr *truth) find(key, value string) int64 {
	for _, c := range tr.after(0) {
		if c.key == key && c.value == value {
			return c.revision
		}
	}
	return 0
}
