package resource

import (
	"context"
	"errors"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/store"
)

// Change is one guarded write of UpdateMany.
type Change struct {
	Target
	Mutate func(runtime.Object) error // gets a private copy of the current object
}

// maxBatch bounds the bytes of one transaction, well under etcd's limit for a request.
const maxBatch = 1 << 20

// UpdateMany makes many changes in as few etcd transactions as it can. It returns one error a change, nil where it was
// made or changes nothing; a change that somebody else was faster than is computed anew and does not hold up the
// others. With the subresource "binding", Mutate gives a pod its node and everything else is as for a binding.
func (a *API) UpdateMany(ctx context.Context, changes []Change) []error {
	errs := make([]error, len(changes))
	todo := make([]int, len(changes))
	for i := range changes {
		todo[i] = i
	}
	for range writeAttempts {
		if todo = a.round(ctx, changes, errs, todo); len(todo) == 0 {
			return errs
		}
	}
	for _, i := range todo {
		errs[i] = apierrors.NewConflict(changes[i].resource(), changes[i].Name, errModified)
	}
	return errs
}

// batch is the writes of one transaction and which changes they are.
type batch struct {
	ops   []store.Op
	index []int
	bytes int
}

// round tries the changes that are to do, and returns those to try again.
func (a *API) round(ctx context.Context, changes []Change, errs []error, todo []int) (again []int) {
	seen := make(map[store.Key]bool, len(todo))
	batches := []*batch{{}}
	for _, i := range todo {
		if key := changes[i].key(); seen[key] { // one transaction writes a key once
			again = append(again, i)
			continue
		}
		op, err := a.operation(ctx, changes[i])
		errs[i] = asStatus(changes[i].Target, err)
		if op == nil {
			continue
		}
		seen[op.Key] = true
		last := batches[len(batches)-1]
		if len(last.ops) == store.MaxOps || len(last.ops) > 0 && last.bytes+len(op.Value) > maxBatch {
			last = &batch{}
			batches = append(batches, last)
		}
		last.ops, last.index, last.bytes = append(last.ops, *op), append(last.index, i), last.bytes+len(op.Value)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, b := range batches {
		wg.Go(func() {
			failed := a.commitBatch(ctx, changes, errs, b)
			mu.Lock()
			defer mu.Unlock()
			again = append(again, failed...)
		})
	}
	wg.Wait()
	return again
}

// commitBatch writes a batch, without those whose objects have changed meanwhile, which it returns.
func (a *API) commitBatch(ctx context.Context, changes []Change, errs []error, b *batch) (again []int) {
	for len(b.ops) > 0 {
		_, err := a.store.Commit(ctx, b.ops...)
		var lost *store.ConflictError
		if errors.As(err, &lost) {
			again = append(again, b.drop(lost.Key))
			continue
		}
		for _, i := range b.index {
			errs[i] = asStatus(changes[i].Target, err)
		}
		return again
	}
	return again
}

// drop takes the write of a key out and returns which change it is.
func (b *batch) drop(key store.Key) int {
	for i, op := range b.ops {
		if op.Key == key {
			index := b.index[i]
			b.ops = append(b.ops[:i], b.ops[i+1:]...)
			b.index = append(b.index[:i], b.index[i+1:]...)
			return index
		}
	}
	panic("a conflict of a key that was not written: " + key.String())
}

// operation computes the write of one change; nil when there is nothing to write.
func (a *API) operation(ctx context.Context, c Change) (*store.Op, error) {
	current, err := a.current(ctx, c.Target)
	switch {
	case err != nil:
		return nil, err
	case current == nil:
		return nil, apierrors.NewNotFound(c.resource(), c.Name)
	}
	old, err := current.Object()
	if err != nil {
		return nil, err
	}
	obj := old.DeepCopyObject()
	if err := c.Mutate(obj); err != nil {
		return nil, refusal{err}
	}
	if err := a.prepareChange(ctx, c, obj, old); err != nil {
		return nil, err
	}
	stored, same, err := encodeUpdate(c.Target, obj, old, current)
	if err != nil || same {
		return nil, err
	}
	if claims, err := a.claims(obj, old); err != nil || len(claims) > 0 {
		return nil, errors.Join(err, apierrors.NewBadRequest("what is claimed with an object is written with it alone"))
	}
	op := &store.Op{Key: current.Key, Value: stored, Expect: current.Revision}
	if c.Subresource != Binding && leaves(obj, old) {
		op.Value = nil
	}
	return op, nil
}

func (a *API) prepareChange(ctx context.Context, c Change, obj, old runtime.Object) error {
	if c.Subresource != Binding {
		return a.prepareUpdate(ctx, edit{Target: c.Target, manager: managerOf(c.Target, "")}, obj, old)
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return apierrors.NewMethodNotSupported(c.resource(), "update")
	}
	return checkBinding(c.Target, pod, old.(*corev1.Pod))
}
