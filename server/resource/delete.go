package resource

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/store"
)

// Delete removes an object, or marks it as being deleted when finalizers or its agent have work to do first. gone
// tells which; the item is the object as it is now, or as it was when it went.
func (a *API) Delete(ctx context.Context, t Target, o metav1.DeleteOptions) (it *store.Item, gone bool, err error) {
	if err := a.mayDelete(t, o); err != nil {
		return nil, false, err
	}
	err = again(t, func() error {
		current, err := a.deletable(ctx, t, o.Preconditions)
		if err != nil {
			return err
		}
		it, gone, err = a.depart(ctx, t, current, o)
		return err
	})
	it, err = t.shown(it, err)
	return it, gone, err
}

func (a *API) mayDelete(t Target, o metav1.DeleteOptions) error {
	if err := invalidOptions("DeleteOptions", metav1validation.ValidateDeleteOptions(&o)); err != nil {
		return err
	}
	if t.Subresource != "" {
		return apierrors.NewMethodNotSupported(t.resource(), "delete")
	}
	return immortal(t)
}

// deletable returns the object that a deletion is about. What the cache has may be old: before a deletion is refused
// for its preconditions, etcd is asked.
func (a *API) deletable(ctx context.Context, t Target, p *metav1.Preconditions) (*store.Item, error) {
	it, err := a.current(ctx, t)
	if err != nil {
		return nil, err
	}
	if it != nil && checkDeletion(t, p, it) != nil {
		snapshot, err := a.store.Consistent(ctx, t.resource())
		if err != nil {
			return nil, err
		}
		it = snapshot.Get(t.Namespace, t.Name)
	}
	if it == nil {
		return nil, apierrors.NewNotFound(t.resource(), t.Name)
	}
	return it, checkDeletion(t, p, it)
}

func checkDeletion(t Target, p *metav1.Preconditions, it *store.Item) error {
	if p == nil {
		return nil
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != formatRevision(it.Revision) {
		return apierrors.NewConflict(t.resource(), t.Name, fmt.Errorf(
			"the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%d). The object might have been modified",
			*p.ResourceVersion, it.Revision))
	}
	if p.UID == nil {
		return nil
	}
	obj, err := it.Object()
	if err != nil {
		return err
	}
	if uid := metaOf(obj).GetUID(); *p.UID != uid {
		return apierrors.NewConflict(t.resource(), t.Name, fmt.Errorf(
			"the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated",
			*p.UID, uid))
	}
	return nil
}

// depart takes the next step of an object's deletion.
func (a *API) depart(ctx context.Context, t Target, it *store.Item, o metav1.DeleteOptions) (result *store.Item, gone bool, err error) {
	obj, err := it.Object()
	if err != nil {
		return nil, false, err
	}
	if err := a.guard(ctx, Write{Target: t, Old: obj}); err != nil {
		return nil, false, err
	}
	step := planDeletion(t.Kind, obj, o, time.Now())
	switch {
	case step.remove && len(o.DryRun) > 0:
		return it, true, nil
	case step.remove:
		revision, err := a.commit(ctx, charged{Target: t, old: obj}, store.Op{Key: it.Key, Expect: it.Revision})
		if err != nil {
			return nil, false, err
		}
		result, err := at(it, revision)
		return result, true, err
	case step.update == nil:
		return it, false, nil
	}
	result, err = a.mark(ctx, t, it, step.update, len(o.DryRun) > 0)
	return result, false, err
}

// mark writes an object that stays a while.
func (a *API) mark(ctx context.Context, t Target, it *store.Item, obj runtime.Object, dryRun bool) (*store.Item, error) {
	stored, err := encode(t, obj)
	switch {
	case err != nil:
		return nil, err
	case unchanged(it, stored):
		return it, nil
	case dryRun:
		return newItem(it.Key, it.Revision, stored, obj), nil
	}
	revision, err := a.store.Commit(ctx, store.Op{Key: it.Key, Value: stored, Expect: it.Revision})
	if err != nil {
		return nil, err
	}
	return a.written(it.Key, revision, stored, obj), nil
}
