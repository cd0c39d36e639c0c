package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

const (
	electionPrefix = "/leme-leader/controllers" // beside the objects' prefix, so that it is no object
	leaseSeconds   = 6                          // a dead leader is replaced within this time and a little
	campaignAgain  = time.Second                // after etcd could not be asked
	resignWithin   = 2 * time.Second
)

// Lead runs fn while this process is the leader: at most one of all that campaign on the same etcd is. The
// context that fn gets ends when the leadership is lost; then, or when fn returns an error, Lead campaigns
// again. It returns when ctx ends or fn returns nil. The identity is what others see as the leader's name.
func Lead(ctx context.Context, client *clientv3.Client, identity string, fn func(context.Context) error) error {
	for {
		err := leadOnce(ctx, client, identity, fn)
		if err == nil || ctx.Err() != nil {
			return context.Cause(ctx)
		}
		slog.Warn("not leading, campaigning again", "identity", identity, "err", err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
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
	defer session.Close()
	leading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(session.Ctx(), func() { stop(errLostLease) })()

	election := concurrency.NewElection(session, electionPrefix)
	if err := election.Campaign(leading, identity); err != nil {
		return fmt.Errorf("campaigning: %w", err)
	}
	defer resign(ctx, election)
	slog.Info("leading", "identity", identity)
	if err := fn(leading); err != nil {
		return err
	}
	return context.Cause(leading)
}

// newSession asks for a lease that lives as long as this process keeps it alive. The session has a context
// of its own, so that resigning still works when ctx has ended.
func newSession(ctx context.Context, client *clientv3.Client) (*concurrency.Session, error) {
	grant, err := client.Grant(ctx, leaseSeconds)
	if err != nil {
		return nil, err
	}
	return concurrency.NewSession(client, concurrency.WithLease(grant.ID), concurrency.WithTTL(leaseSeconds))
}

// resign lets the next one lead at once instead of after the lease's end.
func resign(ctx context.Context, election *concurrency.Election) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resignWithin)
	defer cancel()
	if err := election.Resign(ctx); err != nil {
		slog.Debug("resigning", "err", err)
	}
}
