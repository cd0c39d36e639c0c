package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Config says where etcd is and how its values are read.
type Config struct {
	Endpoints     []string // of an existing etcd; empty: etcd is embedded, its data in DataDir
	CA, Cert, Key string   // files for TLS to Endpoints
	DataDir       string
	// History is how long old revisions are kept, for reads of the past. Default an hour. Embedded etcd only.
	History time.Duration
	// NoSync lets embedded etcd skip fsync. For tests: a power cut loses data.
	NoSync bool
	Decode Decode
	Sealer Sealer // default: everything is readable in etcd
	// Metrics is where the store counts; nil: nowhere.
	Metrics prometheus.Registerer
}

func (c *Config) validate() error {
	if c.History == 0 {
		c.History = time.Hour
	}
	if c.Sealer == nil {
		c.Sealer = unsealed{}
	}
	switch {
	case c.Decode == nil:
		return errors.New("store: Decode is not set")
	case len(c.Endpoints) == 0 && c.DataDir == "":
		return errors.New("store: neither etcd endpoints nor a data directory are set")
	case (c.Cert == "") != (c.Key == ""):
		return errors.New("store: an etcd client certificate and its key go together")
	}
	return nil
}

// Store is the objects of a cluster. Reads and writes work while Run does.
type Store struct {
	etcd    *etcd
	client  *clientv3.Client
	cache   *cache
	latest  *latest
	metrics *metrics
	ready   chan struct{}
	stopped chan struct{}
}

// Open starts embedded etcd, or connects to an existing one. Run must be called, and closes it.
func Open(c Config) (*Store, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	e, err := openEtcd(c)
	if err != nil {
		return nil, err
	}
	s := &Store{
		etcd: e, client: e.client, cache: newCache(c.Decode, c.Sealer),
		ready: make(chan struct{}), stopped: make(chan struct{}),
	}
	s.metrics = newMetrics(c.Metrics, s.cache)
	s.latest = &latest{ask: s.etcdRevision}
	return s, nil
}

// Run feeds the cache until ctx ends or etcd fails.
func (s *Store) Run(ctx context.Context) error {
	defer s.etcd.close()
	defer close(s.stopped)
	defer s.cache.stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.follow(ctx) })
	group.Go(func() error { return s.etcd.wait(ctx) })
	group.Go(func() error { return s.tidy(ctx) })
	return group.Wait()
}

// Ready is closed once the cache holds what etcd does.
func (s *Store) Ready() <-chan struct{} { return s.ready }

// Client is the connection to etcd, for what is not objects: elections, backups, health.
func (s *Store) Client() *clientv3.Client { return s.client }

// pause between attempts to reach etcd again.
const pause = 200 * time.Millisecond

// follow loads everything, then applies etcd's watch; when that breaks, it starts again.
func (s *Store) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		err := s.loadAndWatch(ctx)
		if errors.Is(err, ErrNoKey) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			slog.Warn("The watch on etcd broke; loading again", "error", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
	return nil
}

func (s *Store) loadAndWatch(ctx context.Context) error {
	items, revision, err := s.load(ctx, 0, Prefix)
	if err != nil {
		return err
	}
	s.cache.load(items, revision)
	s.metrics.loads.Inc()
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	changes := s.client.Watch(ctx, Prefix, clientv3.WithPrefix(), clientv3.WithRev(revision+1), clientv3.WithProgressNotify())
	for r := range changes {
		if err := r.Err(); err != nil {
			return err
		}
		if err := s.apply(r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Store) apply(r clientv3.WatchResponse) error {
	if r.IsProgressNotify() {
		s.cache.apply(nil, r.Header.Revision)
		return nil
	}
	if len(r.Events) == 0 {
		return nil
	}
	events := make([]Event, 0, len(r.Events))
	for _, raw := range r.Events {
		e, err := s.cache.event(raw)
		if errors.Is(err, ErrNoKey) {
			return err
		}
		if err != nil {
			slog.Error("A key in etcd is not an object; it is left out", "error", err)
			continue
		}
		events = append(events, e)
	}
	s.metrics.told(events)
	// The header may be ahead of the events while the watch catches up.
	s.cache.apply(events, r.Events[len(r.Events)-1].Kv.ModRevision)
	return nil
}

// loadPage is how many keys one range request asks for.
const loadPage = 2000

// load reads every object under a prefix as it was at one revision (0: now).
func (s *Store) load(ctx context.Context, revision int64, prefix string) ([]*Item, int64, error) {
	var items []*Item
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	for {
		began := time.Now()
		page, err := s.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithRev(revision), clientv3.WithLimit(loadPage))
		s.metrics.asked("list", schema.GroupResource{}, began, err)
		if err != nil {
			return nil, 0, fmt.Errorf("reading %s from etcd: %w", prefix, err)
		}
		if revision == 0 {
			revision = page.Header.Revision
		}
		for _, kv := range page.Kvs {
			key, err := parseKey(string(kv.Key))
			if err == nil {
				var it *Item
				if it, err = s.cache.item(key, kv.ModRevision, kv.Value); err == nil {
					items = append(items, it)
				}
			}
			if errors.Is(err, ErrNoKey) {
				return nil, 0, err
			}
			if err != nil {
				slog.Error("A key in etcd is not an object; it is left out", "error", err)
			}
		}
		if !page.More {
			return items, revision, nil
		}
		from = string(page.Kvs[len(page.Kvs)-1].Key) + "\x00"
	}
}

// Watch follows a resource from just after a revision. ErrExpired when events from there on are no longer kept.
func (s *Store) Watch(gr schema.GroupResource, after int64) (*Watch, error) {
	return s.cache.watch(gr, after)
}

// Resume is Watch for a client that knows a revision from an object: its stream may have broken off between the events
// of one transaction, which all have that revision. It gets all of them again rather than miss one.
func (s *Store) Resume(gr schema.GroupResource, revision int64) (*Watch, error) {
	return s.cache.resume(gr, revision)
}
