package speed

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// watchers is how many follow the pods of a server.
const watchers = 1000

// watching sends one event after the other to all watchers: the next once the last one of them has the one before. A
// server that only encrypts and writes shows what is left to win.
func watching(b *testing.B, all []*server) {
	const rounds, events = 7, 20
	if len(all) > 1 {
		all = append(all[:len(all):len(all)], startBare(b))
	}
	writer := connect(b, all, 1)
	for _, row := range []struct {
		name        string
		connections int
	}{
		{"one event to 1,000 watchers", watchers},                         // as agents have them, and clients each with its own
		{"one event to 1,000 watchers, 100 a connection", watchers / 100}, // as informers share them
	} {
		crowds := map[string]*audience{}
		connections := connect(b, all, row.connections)
		tell := func(s *server) {
			crowds[s.name].tell(b, func() { writer[s.name].do(b, 1, s.patch) })
		}
		for _, s := range all {
			crowds[s.name] = gather(b, connections[s.name])
			tell(s) // now all are watching
		}
		costs := compare(b, all, rounds, func(_ *testing.B, s *server) int {
			for range events {
				tell(s)
			}
			return events
		})
		report(b, row.name, costs)
		if bare, ok := costs[least]; ok {
			reportOne(b, row.name+", bare", bare, costs[measured])
		}
		for _, s := range all {
			b.Logf("%s: %s: an event reaches 99 of 100 watchers within %s", row.name, s.name, percentile(crowds[s.name].all, 99))
			crowds[s.name].leave()
		}
	}
}

// audience is the watchers of one server.
type audience struct {
	connections clients
	heard       chan time.Duration // by one watcher, since the event was asked for
	told        atomic.Int64       // when that was, in nanoseconds
	left        atomic.Bool
	all         []time.Duration
}

// gather starts the watches of all pods, as many on every connection.
func gather(b *testing.B, cs clients) *audience {
	b.Helper()
	now, err := cs[0].revision()
	if err != nil {
		b.Fatal(err)
	}
	a := &audience{connections: cs, heard: make(chan time.Duration, watchers)}
	for _, c := range cs {
		go func() {
			if err := a.follow(c, now); !a.left.Load() && b.Context().Err() == nil {
				b.Errorf("a watch ended: %v", err)
			}
		}()
	}
	return a
}

// leave ends all watches.
func (a *audience) leave() {
	a.left.Store(true)
	for _, c := range a.connections {
		c.close()
	}
}

// follow tells of each line that the watches of a connection give, as which events come, until one of them ends.
func (a *audience) follow(c *conn, revision string) error {
	for range watchers / len(a.connections) {
		if err := c.begin(request{
			method: "GET", path: "/api/v1/pods?timeoutSeconds=3600&watch=true&resourceVersion=" + revision, accept: asJSON,
		}); err != nil {
			return err
		}
	}
	_, err := c.read(func(payload []byte) error {
		for range bytes.Count(payload, []byte("\n")) {
			a.heard <- time.Duration(time.Now().UnixNano() - a.told.Load())
		}
		return nil
	})
	return cmp.Or(err, io.ErrUnexpectedEOF)
}

// tell makes an event and waits until all have heard of it.
func (a *audience) tell(b *testing.B, event func()) {
	b.Helper()
	a.told.Store(time.Now().UnixNano())
	event()
	timeout := time.After(patience)
	for heard := range watchers {
		select {
		case took := <-a.heard:
			a.all = append(a.all, took)
		case <-timeout:
			b.Fatalf("only %d of %d watchers heard of an event", heard, watchers)
		}
	}
}

// revision is where a watch of all pods can begin.
func (c *conn) revision() (string, error) {
	raw, err := c.get("/api/v1/pods?limit=1")
	if err != nil {
		return "", err
	}
	var list metav1.PartialObjectMetadataList
	err = json.Unmarshal(raw, &list)
	return list.ResourceVersion, err
}
