package storetest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// Etcd is an etcd of one or more members beside the store: real ones, in this process.
type Etcd struct {
	t       testing.TB
	configs []*embed.Config
	members []*embed.Etcd // nil while a member is stopped
}

// NewEtcd starts the members, which end with the test. change may have its say on their configuration before.
func NewEtcd(t testing.TB, members int, change func(*embed.Config)) *Etcd {
	t.Helper()
	e := &Etcd{t: t, members: make([]*embed.Etcd, members)}
	// An address of 127/8 that nobody else has: the members must know all ports before the first listens.
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.N(250), rand.N(250), 1+rand.N(250))
	var cluster []string
	for i := range members {
		c := embed.NewConfig()
		c.Name = fmt.Sprintf("member-%d", i)
		c.Dir = filepath.Join(t.TempDir(), c.Name)
		c.UnsafeNoFsync = true
		c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		c.TickMs, c.ElectionMs = 50, 500
		c.ListenClientUrls, c.ListenPeerUrls = []url.URL{freeURL(t, host)}, []url.URL{freeURL(t, host)}
		if change != nil {
			change(c)
		}
		c.AdvertiseClientUrls, c.AdvertisePeerUrls = c.ListenClientUrls, c.ListenPeerUrls
		cluster = append(cluster, c.Name+"="+c.ListenPeerUrls[0].String())
		e.configs = append(e.configs, c)
	}
	for i, c := range e.configs {
		c.InitialCluster = strings.Join(cluster, ",")
		e.members[i] = e.start(i)
	}
	t.Cleanup(e.close)
	e.await()
	return e
}

func freeURL(t testing.TB, host string) url.URL {
	t.Helper()
	l, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}
}

func (e *Etcd) start(i int) *embed.Etcd {
	e.t.Helper()
	m, err := embed.StartEtcd(e.configs[i])
	if err != nil {
		e.t.Fatalf("starting etcd member %d: %v", i, err)
	}
	return m
}

// await blocks until every member that runs serves.
func (e *Etcd) await() {
	e.t.Helper()
	for i, m := range e.members {
		if m == nil {
			continue
		}
		select {
		case <-m.Server.ReadyNotify():
		case err := <-m.Err():
			e.t.Fatalf("etcd member %d: %v", i, err)
		case <-time.After(time.Minute):
			e.t.Fatalf("etcd member %d is not ready", i)
		}
	}
}

func (e *Etcd) close() {
	for _, m := range e.members {
		if m != nil {
			m.Close()
		}
	}
}

// Endpoints are the members' client addresses, host:port.
func (e *Etcd) Endpoints() []string {
	var all []string
	for i, m := range e.members {
		if m != nil {
			e.configs[i].ListenClientUrls[0].Host = m.Clients[0].Addr().String() // the port may have been left to the system
		}
		all = append(all, e.configs[i].ListenClientUrls[0].Host)
	}
	return all
}

// Client is a client of all members, which ends with the test.
func (e *Etcd) Client() *clientv3.Client {
	e.t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: e.Endpoints(), DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { c.Close() })
	return c
}

// StopLeader kills the member that leads and returns which it is.
func (e *Etcd) StopLeader() int {
	e.t.Helper()
	for i, m := range e.members {
		if m != nil && m.Server.Leader() == m.Server.MemberID() {
			m.Close()
			e.members[i] = nil
			return i
		}
	}
	e.t.Fatal("etcd has no leader")
	return -1
}

// Start starts a member again, on its data.
func (e *Etcd) Start(i int) {
	e.t.Helper()
	e.members[i] = e.start(i)
	e.await()
}
