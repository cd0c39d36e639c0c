package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"

	"leme/server/store"
)

const (
	leaseSeconds  = 6           // a dead leader is replaced within this time and a little
	campaignAgain = time.Second // after etcd could not be asked
	revokeWithin  = 2 * time.Second
)

// Lead runs fn while this process is the leader: at most one of all that campaign on the same etcd is. The context
// that fn gets ends when the leadership is lost; then, or when fn returns an error, Lead campaigns again. What fn
// writes with that context is fenced: a leader that was held up for longer than its lease, and does not know it yet,
// writes nothing. Lead returns nil when ctx ends or fn is done. The identity is what others see as the leader's name.
func Lead(ctx context.Context, client *clientv3.Client, identity string, fn func(context.Context) error) error {
	for {
		err := leadOnce(ctx, client, identity, fn)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		slog.Warn("not leading, campaigning again", "identity", identity, "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(campaignAgain):
		}
	}
}

var errLostLease = errors.New("the leader's lease was lost")

func leadOnce(ctx context.Context, client *clientv3.Client, identity string, fn func(context.Context) error) error {
	session, err := newSession(ctx, client)
	if err != nil {
		return fmt.Errorf("making the leader's lease: %w", err)
	}
	defer giveUp(ctx, client, session)
	leading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(session.Ctx(), func() { stop(errLostLease) })()

	place, err := stand(leading, client, session.Lease(), identity)
	if err != nil {
		return fmt.Errorf("campaigning: %w", err)
	}
	if err := place.await(leading); err != nil {
		return fmt.Errorf("campaigning: %w", err)
	}
	slog.Info("leading", "identity", identity)
	if err := fn(store.Fenced(leading, place.fence(func() { stop(errLostLease) }))); err != nil {
		return err
	}
	return context.Cause(leading)
}

// newSession asks for a lease that lives as long as this process keeps it alive, also when ctx has ended.
func newSession(ctx context.Context, client *clientv3.Client) (*concurrency.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	grant, err := client.Grant(ctx, leaseSeconds)
	if err != nil {
		return nil, err
	}
	return concurrency.NewSession(client, concurrency.WithLease(grant.ID))
}

// giveUp ends the lease, and with it the leadership, so that the next one leads at once and not after its time.
func giveUp(ctx context.Context, client *clientv3.Client, session *concurrency.Session) {
	session.Orphan()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeWithin)
	defer cancel()
	if _, err := client.Revoke(ctx, session.Lease()); err != nil {
		slog.Debug("giving up the leader's lease", "err", err)
	}
}
