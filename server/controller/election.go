package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"leme/server/store"
)

const (
	electionPrefix = "/leme-leader/controllers/" // beside the objects' prefix, so that it is no object
	answerWithin   = 5 * time.Second             // an etcd that takes longer is asked anew
	lookAgain      = 2 * time.Second             // in case the watch for the leader's end is lost on its way
	tellAgain      = time.Minute                 // that there is still another leader
)

// candidacy is a server's place in the line of those that would lead: a key under its lease. Whose key is the oldest
// leads, for as long as the key is there.
type candidacy struct {
	client *clientv3.Client
	key    string
	made   int64 // the revision that made the key
}

// stand joins the line.
func stand(ctx context.Context, client *clientv3.Client, lease clientv3.LeaseID, identity string) (candidacy, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c := candidacy{client: client, key: fmt.Sprintf("%s%x", electionPrefix, lease)}
	r, err := client.Put(ctx, c.key, identity, clientv3.WithLease(lease))
	if err != nil {
		return c, fmt.Errorf("joining the line: %w", err)
	}
	c.made = r.Header.Revision
	return c, nil
}

// fence lets writes through as long as the candidacy lasts.
func (c candidacy) fence(fallen func()) store.Fence {
	return store.Fence{Key: c.key, Revision: c.made, Fallen: fallen}
}

var errNoCandidate = errors.New("this server's own candidacy has gone")

// await returns when the candidacy is the oldest. It says for whom it waits, and sees to it that a lease whose time is
// over ends.
func (c candidacy) await(ctx context.Context) error {
	var waitsFor string
	var told time.Time
	for {
		first, revision, err := c.first(ctx)
		switch {
		case err != nil:
			return err
		case first == nil || first.CreateRevision > c.made:
			return errNoCandidate
		case first.CreateRevision == c.made:
			return nil
		}
		left, err := c.timeLeft(ctx, first)
		if err != nil {
			return err
		}
		if leader := string(first.Key); leader != waitsFor || time.Since(told) >= tellAgain {
			slog.Info("another server leads", "leader", string(first.Value), "its lease ends in", left)
			waitsFor, told = leader, time.Now()
		}
		c.awaitEnd(ctx, string(first.Key), revision)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// first is the oldest candidacy, and the revision at which it was.
func (c candidacy) first(ctx context.Context) (*mvccpb.KeyValue, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	r, err := c.client.Get(ctx, electionPrefix, clientv3.WithFirstCreate()...)
	if err != nil {
		return nil, 0, fmt.Errorf("asking who leads: %w", err)
	}
	if len(r.Kvs) == 0 {
		return nil, r.Header.Revision, nil
	}
	return r.Kvs[0], r.Header.Revision, nil
}

// timeLeft is what is left of another's lease. A candidacy whose lease is over, and that is there all the same, is
// removed: nobody can renew it, and its holder's writes are fenced by it.
func (c candidacy) timeLeft(ctx context.Context, of *mvccpb.KeyValue) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	r, err := c.client.TimeToLive(ctx, clientv3.LeaseID(of.Lease))
	if err != nil {
		return 0, fmt.Errorf("asking for the leader's lease: %w", err)
	}
	if r.TTL >= 0 {
		return time.Duration(r.TTL) * time.Second, nil
	}
	key := string(of.Key)
	unchanged := clientv3.Compare(clientv3.CreateRevision(key), "=", of.CreateRevision)
	if _, err := c.client.Txn(ctx).If(unchanged).Then(clientv3.OpDelete(key)).Commit(); err != nil {
		return 0, fmt.Errorf("removing a leader whose lease is over: %w", err)
	}
	return 0, nil
}

// awaitEnd returns when a key that was there at a revision has gone, or after a while.
func (c candidacy) awaitEnd(ctx context.Context, key string, revision int64) {
	ctx, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	watch := c.client.Watch(clientv3.WithRequireLeader(ctx), key, clientv3.WithRev(revision+1), clientv3.WithFilterPut())
	for r := range watch {
		if len(r.Events) > 0 {
			return
		}
	}
	<-ctx.Done() // the watch has broken
}
