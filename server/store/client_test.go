package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"leme/server/store"
	"leme/server/store/storetest"
)

// server is a store whose line to etcd can be cut, and which can be started anew.
type server struct {
	t       *testing.T
	config  store.Config
	proxies []*storetest.Proxy
	mu      sync.RWMutex // held while it starts anew
	store   *store.Store
	starts  atomic.Int64 // and beginnings of ends
	stop    func()
}

func newServer(t *testing.T, c store.Config, proxies ...*storetest.Proxy) *server {
	t.Helper()
	c.Decode = storetest.Decode
	s := &server{t: t, config: c, proxies: proxies}
	s.run()
	t.Cleanup(func() { s.stop() })
	return s
}

// newServerBeside is a server that reaches etcd through proxies.
func newServerBeside(t *testing.T, etcd *storetest.Etcd) *server {
	t.Helper()
	var c store.Config
	var proxies []*storetest.Proxy
	for _, address := range etcd.Endpoints() {
		p := storetest.NewProxy(t, address)
		proxies, c.Endpoints = append(proxies, p), append(c.Endpoints, "http://"+p.Addr())
	}
	return newServer(t, c, proxies...)
}

func (s *server) run() {
	s.t.Helper()
	st, stop := storetest.Start(s.t, s.config)
	s.store, s.stop = st, stop
}

// open is the store as it is now, or will be when it has started anew.
func (s *server) open() *store.Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.store
}

// restart ends the store and starts another over the same etcd.
func (s *server) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts.Add(1)
	s.stop()
	s.run()
}

// cut breaks the line to etcd; with down, until mend.
func (s *server) cut(down bool) {
	for _, p := range s.proxies {
		p.Cut(down)
	}
}

func (s *server) mend() {
	for _, p := range s.proxies {
		p.Mend()
	}
}

// client makes calls at one server and notes what it is answered.
type client struct {
	storm  *storm
	server *server
	id     int
	rand   *rand.Rand
	serial int
	known  state // as last seen: maybe not true any more
}

func (c *client) run(ctx context.Context, calls int) {
	for range calls {
		switch n := c.rand.IntN(20); {
		case n < 8:
			c.list(ctx)
		case n < 17:
			c.write(ctx)
		default:
			c.past(ctx, n)
		}
		c.storm.done.Add(1)
	}
}

// limit bounds one call, which may have lost its server.
const limit = 5 * time.Second

func (c *client) list(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begin := time.Since(c.storm.start)
	snapshot, err := c.server.open().Consistent(ctx, configMaps)
	if err != nil {
		return // nothing was promised
	}
	c.known = state{revision: snapshot.Revision()}
	for i := range contended {
		c.known.cells[i] = shown(snapshot.Get("storm", strconv.Itoa(i)))
	}
	c.note(begin, call{}, answer{state: c.known})
	c.storm.past(read{"a consistent list", cells(snapshot), snapshot.Revision(), 0, 0})
}

// write is a transaction of one to three keys as the client knows them.
func (c *client) write(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var in call
	var ops []store.Op
	for _, k := range c.rand.Perm(contended)[:1+c.rand.IntN(3)] {
		c.serial++
		w, name := write{key: k, expect: c.known.cells[k], value: fmt.Sprintf("%d-%d", c.id, c.serial)}, strconv.Itoa(k)
		op := store.Op{Key: keyOf("storm", name), Value: encoded(c.storm.t, "storm", name, w.value), Expect: w.expect.revision}
		if w.expect.revision > 0 && len(ops) > 0 && c.rand.IntN(3) == 0 { // the first write is a value, by which it can be told
			w.value, op.Value = "", nil
		}
		in.writes, ops = append(in.writes, w), append(ops, op)
	}
	starts := c.server.starts.Load()
	s, begin := c.server.open(), time.Since(c.storm.start)
	revision, err := s.Commit(ctx, ops...)
	var lost *store.ConflictError
	switch {
	case errors.As(err, &lost):
		key, _ := strconv.Atoi(lost.Key.Name)
		c.note(begin, in, answer{lost: key + 1})
		c.list(ctx)
	case err != nil:
		c.lose(begin, in)
		c.list(ctx)
	default:
		c.note(begin, in, answer{state: state{revision: revision}})
		_, c.known = step(c.known, in, answer{state: state{revision: revision}})
		now := s.Snapshot(configMaps)
		// A server that ends, or waits long for its cache, tells of the write nonetheless: it has happened.
		if took := time.Since(c.storm.start) - begin; took < time.Second && c.server.starts.Load() == starts {
			c.storm.past(read{"what is read after one's own write", cells(now), now.Revision(), revision, 0})
		}
	}
}

// past makes a read that may be of the past.
func (c *client) past(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, seen := c.server.open(), c.known.revision
	switch n {
	case 17:
		now := s.Snapshot(configMaps)
		c.storm.past(read{"what the cache holds", cells(now), now.Revision(), 0, 0})
	case 18:
		newest := c.storm.newest.Load() // maybe of another server
		if now, err := s.NotOlderThan(ctx, configMaps, newest); err == nil {
			c.storm.past(read{"not older than", cells(now), now.Revision(), newest, 0})
		}
	default:
		if seen == 0 {
			return
		}
		if then, err := s.At(ctx, configMaps, seen); err == nil {
			c.storm.past(read{"the past", cells(then), then.Revision(), seen, seen})
		}
	}
}

func (c *client) note(begin time.Duration, in call, out answer) {
	c.storm.mu.Lock()
	defer c.storm.mu.Unlock()
	c.storm.newest.Store(max(c.storm.newest.Load(), out.revision))
	c.storm.history = append(c.storm.history, porcupine.Operation{ClientId: c.id, Input: in, Output: out,
		Call: int64(begin), Return: int64(time.Since(c.storm.start))})
}

func (c *client) lose(begin time.Duration, in call) {
	c.storm.mu.Lock()
	defer c.storm.mu.Unlock()
	c.storm.unknown = append(c.storm.unknown, porcupine.Operation{ClientId: c.id, Input: in, Call: int64(begin)})
}

func (s *storm) past(r read) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, r)
}
