package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"leme/server/tracing"
)

// MaxOps is how many writes one transaction takes: etcd's own default limit of 128 conditions, less one for a fence.
const MaxOps = 127

// Op is one write of a transaction. Every write states what it saw.
type Op struct {
	Key    Key
	Value  []byte // as Encode gives it; nil deletes
	Expect int64  // the revision that the key must have now; 0: it must not exist
}

// ConflictError names the first op of a transaction whose precondition failed. When Commit returns it,
// the cache already holds the newer state.
type ConflictError struct {
	Key    Key
	Expect int64 // 0: the key exists already
}

func (e *ConflictError) Error() string {
	if e.Expect == 0 {
		return fmt.Sprintf("store: %s exists already", e.Key)
	}
	return fmt.Sprintf("store: %s is no longer at revision %d", e.Key, e.Expect)
}

// Commit writes all ops in one etcd transaction, or none. It returns once this server's own cache
// holds the result, so that what the caller reads next shows it. The revision is that of every item written. With the
// context of a fence that has fallen nothing is written, and the error is ErrFenced.
func (s *Store) Commit(ctx context.Context, ops ...Op) (int64, error) {
	if len(ops) == 0 || len(ops) > MaxOps {
		return 0, fmt.Errorf("store: a transaction takes 1 to %d writes, not %d", MaxOps, len(ops))
	}
	conditions := make([]clientv3.Cmp, len(ops), len(ops)+1)
	writes := make([]clientv3.Op, len(ops))
	reads := make([]clientv3.Op, len(ops), len(ops)+1)
	for i, op := range ops {
		key := op.Key.String()
		conditions[i] = clientv3.Compare(clientv3.ModRevision(key), "=", op.Expect)
		value, err := s.sealed(op)
		if err != nil {
			return 0, fmt.Errorf("sealing %s: %w", op.Key, err)
		}
		writes[i] = clientv3.OpPut(key, string(value))
		if op.Value == nil {
			writes[i] = clientv3.OpDelete(key)
		}
		reads[i] = clientv3.OpGet(key, clientv3.WithKeysOnly())
	}
	fence := fenceOf(ctx)
	if fence != nil {
		conditions, reads = append(conditions, fence.stands()), append(reads, fence.look())
	}
	ctx, span := tracing.Start(ctx, "etcd transaction")
	began := time.Now()
	r, err := s.client.Txn(ctx).If(conditions...).Then(writes...).Else(reads...).Commit()
	s.metrics.asked(operation(ops), ops[0].Key.GroupResource, began, err)
	tracing.End(span, err)
	if err != nil {
		return 0, fmt.Errorf("writing %s to etcd: %w", ops[0].Key, err)
	}
	if !r.Succeeded && fence != nil && fence.fallen((*clientv3.GetResponse)(r.Responses[len(ops)].GetResponseRange())) {
		return 0, ErrFenced
	}
	if err := s.settle(ctx, r.Header.Revision); err != nil && !r.Succeeded {
		return 0, err
	}
	if !r.Succeeded {
		return 0, conflict(ops, r)
	}
	return r.Header.Revision, nil
}

// operation is what a transaction does, as metrics call it.
func operation(ops []Op) string {
	switch op := ops[0]; {
	case len(ops) > 1:
		return "batch"
	case op.Value == nil:
		return "delete"
	case op.Expect == 0:
		return "create"
	}
	return "update"
}

// settleFor bounds how long a write waits for the cache: it has happened whatever the cache does.
const settleFor = 2 * time.Second

func (s *Store) settle(ctx context.Context, revision int64) error {
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	return s.await(ctx, revision)
}

func conflict(ops []Op, r *clientv3.TxnResponse) error {
	for i, op := range ops {
		found := int64(0)
		if kvs := r.Responses[i].GetResponseRange().Kvs; len(kvs) > 0 {
			found = kvs[0].ModRevision
		}
		if found != op.Expect {
			return &ConflictError{Key: op.Key, Expect: op.Expect}
		}
	}
	return errors.New("store: a transaction was refused though every precondition held")
}
