package resource

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/store"
)

// writeAttempts is how often a write is computed anew because somebody else was faster.
const writeAttempts = 20

// maxStored is how large an object's stored form may be, in bytes: etcd's default limit for a request, less its frame.
const maxStored = 1536*1024 - 4096

// edit is one write to an object that may be there already.
type edit struct {
	Target
	manager string // who owns the fields that change; "" leaves their owners alone
	dryRun  bool
	create  bool // makes the object when there is none
	// change computes the object that is wanted. current is nil when there is none, and must not be modified; the
	// result is the write's own. It may be called several times.
	change func(current *store.Item) (runtime.Object, error)
}

// again makes a write until it fails or nobody was faster. What leaves it is the error's Kubernetes form.
func again(t Target, write func() error) error {
	var err error
	for range writeAttempts {
		err = write()
		var lost *store.ConflictError
		if !errors.As(err, &lost) {
			break
		}
	}
	return asStatus(t, err)
}

// put makes an edit, anew when somebody else was faster: a change that insists on a revision fails by itself then.
func (a *API) put(ctx context.Context, e edit) (it *store.Item, created bool, err error) {
	err = again(e.Target, func() error {
		current, err := a.current(ctx, e.Target)
		if err != nil {
			return err
		}
		if current == nil {
			it, err = a.putNew(ctx, e)
		} else {
			it, err = a.putOver(ctx, e, current)
		}
		created = current == nil && err == nil
		return err
	})
	return it, created, err
}

func (a *API) putNew(ctx context.Context, e edit) (*store.Item, error) {
	if !e.create {
		return nil, apierrors.NewNotFound(e.resource(), e.Name)
	}
	obj, err := e.change(nil)
	if err != nil {
		return nil, err
	}
	m := metaOf(obj)
	if uid := m.GetUID(); uid != "" {
		return nil, apierrors.NewConflict(e.resource(), e.Name,
			fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
	}
	if err := checkName(e.Target, m); err != nil {
		return nil, err
	}
	n := newObject{Target: e.Target, manager: e.manager, dryRun: e.dryRun, object: obj}
	return a.insert(ctx, n)
}

func (a *API) putOver(ctx context.Context, e edit, current *store.Item) (*store.Item, error) {
	old, err := current.Object()
	if err != nil {
		return nil, err
	}
	obj, err := e.change(current)
	switch {
	case errors.Is(err, errNoChange):
		return current, nil
	case err != nil:
		return nil, err
	}
	if err := checkIdentity(e.Target, metaOf(obj), metaOf(old)); err != nil {
		return nil, err
	}
	if err := a.checkRevision(ctx, e.Target, metaOf(obj), current); err != nil {
		return nil, err
	}
	if err := a.prepareUpdate(ctx, e, obj, old); err != nil {
		return nil, err
	}
	return a.commitUpdate(ctx, e, obj, old, current)
}

// commitUpdate writes an object that is ready, removes it when it was only waiting for its last finalizer, or does
// nothing when nothing has changed.
func (a *API) commitUpdate(ctx context.Context, e edit, obj, old runtime.Object, current *store.Item) (*store.Item, error) {
	stored, same, err := encodeUpdate(e.Target, obj, old, current)
	switch {
	case err != nil:
		return nil, err
	case same:
		return current, nil
	case e.dryRun:
		return newItem(current.Key, current.Revision, stored, obj), a.dryCharge(charged{e.Target, obj, old})
	}
	op := store.Op{Key: current.Key, Value: stored, Expect: current.Revision}
	write := charged{e.Target, obj, old}
	if leaves(obj, old) {
		op.Value, write.object = nil, nil
	}
	revision, err := a.commit(ctx, write, op)
	if err != nil {
		return nil, err
	}
	return a.written(op.Key, revision, stored, obj), nil
}

// written is the item that a commit made: the cache's own, unless that has moved on already.
func (a *API) written(key store.Key, revision int64, stored []byte, obj runtime.Object) *store.Item {
	if it := a.store.Snapshot(key.GroupResource).Get(key.Namespace, key.Name); it != nil && it.Revision == revision {
		return it
	}
	return newItem(key, revision, stored, obj)
}

// prepareUpdate takes an object that is wanted over old through every step up to its encoding.
func (a *API) prepareUpdate(ctx context.Context, e edit, obj, old runtime.Object) error {
	t := e.Target
	rules, err := rulesOf(t)
	if err != nil {
		return err
	}
	m, oldMeta := metaOf(obj), metaOf(old)
	complete(t.Kind.Storage(), obj)
	a.owner.track(t, old, obj, e.manager)
	mergeOwners(ctx, m)
	w := admission{Target: t, object: obj, old: old}
	if err := a.admit(ctx, w, admissionSteps); err != nil {
		return err
	}
	if err := a.guard(ctx, Write{Target: t, Object: obj, Old: old}); err != nil {
		return err
	}
	if err := a.admit(ctx, w, allocations); err != nil {
		return err
	}
	owners := m.GetManagedFields()
	keepMeta(m, oldMeta)
	rules.prepare(obj, old)
	m.SetManagedFields(owners)
	m.SetResourceVersion(oldMeta.GetResourceVersion())
	errs := append(validateMetaUpdate(m, oldMeta), rules.validate(obj, old)...)
	if err := invalid(t, t.Name, errs); err != nil {
		return err
	}
	if err := a.admit(ctx, w, admissionChecks); err != nil {
		return err
	}
	if err := a.admitSubresource(ctx, w); err != nil {
		return err
	}
	if rules.warnings != nil {
		warn(ctx, rules.warnings(ctx, obj)...)
	}
	return nil
}

// checkIdentity refuses an object that is not the one in the request's path, or only its namesake.
func checkIdentity(t Target, m, old metav1.Object) error {
	if err := place(t, m); err != nil {
		return err
	}
	if err := checkName(t, m); err != nil {
		return err
	}
	if m.GetUID() != "" && m.GetUID() != old.GetUID() {
		return apierrors.NewConflict(t.resource(), t.Name,
			fmt.Errorf("Precondition failed: UID in precondition: %v, UID in object meta: %v", m.GetUID(), old.GetUID()))
	}
	return nil
}

// checkRevision refuses an object that was made from another revision than the current one. An object without a
// revision is written whatever there is, where its kind allows it.
func (a *API) checkRevision(ctx context.Context, t Target, m metav1.Object, current *store.Item) error {
	wanted, err := parseRevision(m.GetResourceVersion())
	switch {
	case err != nil:
		return err
	case wanted == current.Revision:
		return nil
	case wanted == 0 && !t.Kind.ConditionalUpdate:
		return nil
	case wanted == 0:
		// As Kubernetes says it: of the resource, not the kind, and with the number that no version is read as.
		return apierrors.NewInvalid(schema.GroupKind{Group: t.Kind.Group, Kind: t.Kind.Resource}, t.Name, field.ErrorList{
			field.Invalid(metadataPath.Child("resourceVersion"), uint64(0), "must be specified for an update")})
	case wanted > current.Revision:
		// Another server may have told the client what this one has not heard yet.
		snapshot, err := a.store.Consistent(ctx, t.resource())
		if err != nil {
			return err
		}
		if it := snapshot.Get(t.Namespace, t.Name); it == nil || it.Revision != current.Revision {
			return &store.ConflictError{Key: current.Key, Expect: current.Revision}
		}
	}
	return apierrors.NewConflict(t.resource(), t.Name, errModified)
}
