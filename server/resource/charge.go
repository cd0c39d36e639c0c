package resource

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/quota"
	"leme/server/store"
)

// charging lines up the creations in a namespace that has quotas: the quotas are written by each of them, so that one
// after the other is faster than all at once and most again. Namespaces that share a lock wait for each other.
type charging struct {
	seed  maphash.Seed
	locks [64]sync.Mutex
}

func newCharging() *charging { return &charging{seed: maphash.MakeSeed()} }

func (c *charging) of(namespace string) *sync.Mutex {
	return &c.locks[maphash.String(c.seed, namespace)%uint64(len(c.locks))]
}

// charged is an object that takes something of its namespace's quotas.
type charged struct {
	Target
	object runtime.Object // nil when the object goes
	old    runtime.Object // nil when the object is new
}

// counts tells whether a write to the target can make an object take more: its status takes nothing.
func (t Target) counts() bool { return t.Subresource == "" || t.Subresource == Resize }

// commit writes an object and, in the same transaction, what it claims for itself and what it takes of its namespace's
// quotas: whoever else counts there at the same time, none is exceeded, and nothing is counted that was not made. A
// *store.ConflictError of another key than the object's says that somebody else has claimed something first.
func (a *API) commit(ctx context.Context, n charged, op store.Op) (int64, error) {
	claims, err := a.claims(n.object, n.old)
	if err != nil {
		return 0, err
	}
	ops := append([]store.Op{op}, claims...)
	if n.object == nil || !n.counts() || len(a.quotasOf(n)) == 0 {
		return a.store.Commit(ctx, ops...)
	}
	lock := a.charging.of(n.Namespace)
	lock.Lock()
	defer lock.Unlock()
	for range writeAttempts {
		charges, err := a.charges(n)
		if err != nil {
			return 0, err
		}
		revision, err := a.store.Commit(ctx, slices.Concat(ops, charges)...)
		var lost *store.ConflictError
		if errors.As(err, &lost) && lost.Key.GroupResource == kind.ResourceQuota.GroupResource() {
			continue
		}
		return revision, err
	}
	return 0, apierrors.NewConflict(Target{Kind: kind.ResourceQuota}.resource(), n.Namespace, errModified)
}

// quotasOf are the quotas that limit an object. Most namespaces have none.
func (a *API) quotasOf(n charged) (list []*store.Item) {
	if !n.Kind.Namespaced {
		return nil
	}
	a.store.Snapshot(kind.ResourceQuota.GroupResource()).Ascend(n.Namespace, "", "", func(it *store.Item) bool {
		if q, err := typed[*corev1.ResourceQuota](it, nil); err == nil && quota.Concerns(q, n.resource(), n.object) {
			list = append(list, it)
		}
		return true
	})
	return list
}

// charges are the writes to quotas that go with an object, or the reason why it may not be written.
func (a *API) charges(n charged) ([]store.Op, error) {
	var ops []store.Op
	for _, it := range a.quotasOf(n) {
		q, err := typed[*corev1.ResourceQuota](it, nil)
		if err != nil {
			return nil, err
		}
		used, err := n.charge(q)
		if err != nil {
			return nil, apierrors.NewForbidden(n.resource(), n.Name, err)
		}
		if quota.Equal(used, q.Status.Used) {
			continue
		}
		counted := q.DeepCopy()
		counted.Status.Used = used
		stored, err := encode(Target{Kind: kind.ResourceQuota, Namespace: q.Namespace, Name: q.Name}, counted)
		if err != nil {
			return nil, err
		}
		ops = append(ops, store.Op{Key: it.Key, Value: stored, Expect: it.Revision})
	}
	return ops, nil
}

// dryCharge says whether an object may be written, and charges nothing.
func (a *API) dryCharge(n charged) error {
	if !n.counts() {
		return nil
	}
	_, err := a.charges(n)
	return err
}

func (n charged) charge(q *corev1.ResourceQuota) (corev1.ResourceList, error) {
	if n.old == nil {
		return quota.Charge(q, n.resource(), n.object, time.Now())
	}
	return quota.ChargeMore(q, n.resource(), n.object, n.old, time.Now())
}
