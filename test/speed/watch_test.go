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

// watchers is how many follow the pods of a server, each over a connection of its own, as agents and informers do.
const watchers = 1000

// watching sends one event after the other to all watchers: the next once the last one of them has the one before.
func watching(b *testing.B, all []*server) {
	const rounds, events = 7, 20
	crowds := map[string]*audience{}
	connections, writer := connect(b, all, watchers), connect(b, all, 1)
	tell := func(s *server) {
		crowds[s.name].tell(b, func() { writer[s.name].do(b, 1, s.patch) })
	}
	for _, s := range all {
		crowds[s.name] = gather(b, connections[s.name])
		tell(s) // now all are watching
	}
	report(b, "one event to 1,000 watchers", compare(b, all, rounds, func(_ *testing.B, s *server) int {
		for range events {
			tell(s)
		}
		return events
	}))
	for _, s := range all {
		b.Logf("%s: an event reaches 99 of 100 watchers within %s", s.name, percentile(crowds[s.name].all, 99))
	}
}

// audience is the watchers of one server.
type audience struct {
	heard chan time.Duration // by one watcher, since the event was asked for
	told  atomic.Int64       // when that was, in nanoseconds
	all   []time.Duration
	size  int
}

// gather starts a watch of all pods on every connection. They end with their connections.
func gather(b *testing.B, cs clients) *audience {
	b.Helper()
	now, err := cs[0].revision()
	if err != nil {
		b.Fatal(err)
	}
	a := &audience{heard: make(chan time.Duration, len(cs)), size: len(cs)}
	for _, c := range cs {
		go func() {
			if err := a.follow(c, now); err != nil && b.Context().Err() == nil {
				b.Errorf("a watch ended: %v", err)
			}
		}()
	}
	return a
}

// follow tells of each line of a watch, as which an event comes.
func (a *audience) follow(c *conn, revision string) error {
	err := c.ask(request{
		method: "GET", path: "/api/v1/pods?watch=true&timeoutSeconds=3600&resourceVersion=" + revision, accept: asJSON,
	}, func(payload []byte) error {
		for range bytes.Count(payload, []byte("\n")) {
			a.heard <- time.Duration(time.Now().UnixNano() - a.told.Load())
		}
		return nil
	})
	return cmp.Or(err, io.ErrUnexpectedEOF) // it lasts longer than the benchmark
}

// tell makes an event and waits until all have heard of it.
func (a *audience) tell(b *testing.B, event func()) {
	b.Helper()
	a.told.Store(time.Now().UnixNano())
	event()
	timeout := time.After(patience)
	for heard := range a.size {
		select {
		case took := <-a.heard:
			a.all = append(a.all, took)
		case <-timeout:
			b.Fatalf("only %d of %d watchers heard of an event", heard, a.size)
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
