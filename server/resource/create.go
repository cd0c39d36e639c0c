package resource

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/store"
)

// Create makes an object, binds a pod to a node (subresource binding), or evicts a pod (subresource eviction). The
// object is Create's own afterwards. The result of a binding or an eviction is the pod.
func (a *API) Create(ctx context.Context, t Target, obj runtime.Object, o metav1.CreateOptions) (*store.Item, error) {
	if err := invalidOptions("CreateOptions", metav1validation.ValidateCreateOptions(&o)); err != nil {
		return nil, err
	}
	switch t.Subresource {
	case "":
		obj, err := t.stored(obj)
		if err != nil {
			return nil, err
		}
		n := newObject{Target: t, object: obj, manager: managerOf(t, o.FieldManager), dryRun: len(o.DryRun) > 0}
		it, err := a.insert(ctx, n)
		var taken *store.ConflictError
		if errors.As(err, &taken) {
			err = a.alreadyExists(t.Named(metaOf(obj).GetName()), obj)
		}
		return t.shown(it, asStatus(t, err))
	case Binding:
		return a.bind(ctx, t, obj, o)
	case Eviction:
		return a.evict(ctx, t, obj, o)
	}
	return nil, apierrors.NewMethodNotSupported(t.resource(), "create")
}

// newObject is an object that is to be made.
type newObject struct {
	Target
	object  runtime.Object
	manager string // who owns its fields; "": they have their owners already
	dryRun  bool
}

// insert makes an object; a *store.ConflictError says that its name is taken.
func (a *API) insert(ctx context.Context, n newObject) (*store.Item, error) {
	m := metaOf(n.object)
	if m.GetResourceVersion() != "" {
		return nil, apierrors.NewBadRequest("resourceVersion should not be set on objects to be created")
	}
	if err := place(n.Target, m); err != nil {
		return nil, err
	}
	startMeta(m)
	if m.GetName() != "" || m.GetGenerateName() == "" {
		n.Name = m.GetName()
		return a.insertNamed(ctx, n)
	}
	snapshot := a.store.Snapshot(n.resource())
	free := func(name string) bool { return snapshot.Get(n.Namespace, name) == nil }
	for range generateAttempts {
		n.Name = generateName(m.GetGenerateName(), free)
		m.SetName(n.Name)
		it, err := a.insertNamed(ctx, n)
		var taken *store.ConflictError
		if !errors.As(err, &taken) {
			return it, err
		}
	}
	return nil, apierrors.NewGenerateNameConflict(n.resource(), n.Name, retryAfter)
}

// insertNamed makes an object that has its name, anew when somebody else was faster to claim what it was to get.
func (a *API) insertNamed(ctx context.Context, n newObject) (*store.Item, error) {
	if serviceOf(n.object) == nil {
		return a.insertOnce(ctx, n)
	}
	for range writeAttempts {
		attempt := n
		attempt.object = n.object.DeepCopyObject()
		it, err := a.insertOnce(ctx, attempt)
		var lost *store.ConflictError
		if !errors.As(err, &lost) || lost.Key == n.key() {
			return it, err
		}
	}
	return nil, apierrors.NewConflict(n.resource(), n.Name, errModified)
}

func (a *API) insertOnce(ctx context.Context, n newObject) (*store.Item, error) {
	if err := a.prepareCreate(ctx, n); err != nil {
		return nil, err
	}
	stored, err := encode(n.Target, n.object)
	if err != nil {
		return nil, err
	}
	if n.dryRun {
		return a.dryCreate(ctx, n, stored)
	}
	revision, err := a.commit(ctx, charged{Target: n.Target, object: n.object}, store.Op{Key: n.key(), Value: stored})
	if err != nil {
		return nil, err
	}
	return a.written(n.key(), revision, stored, n.object), nil
}

// dryCreate is what a create would have given.
func (a *API) dryCreate(ctx context.Context, n newObject, stored []byte) (*store.Item, error) {
	it, err := a.current(ctx, n.Target)
	switch {
	case err != nil:
		return nil, err
	case it != nil:
		return nil, &store.ConflictError{Key: n.key()}
	}
	if _, err := a.charges(charged{Target: n.Target, object: n.object}); err != nil {
		return nil, err
	}
	return newItem(n.key(), 0, stored, n.object), nil
}

// prepareCreate takes a new object through every step up to its encoding.
func (a *API) prepareCreate(ctx context.Context, n newObject) error {
	k, obj := n.Kind, n.object
	m := metaOf(obj)
	complete(k.Storage(), obj)
	a.owner.track(n.Target, formOf(n.Target).empty(), obj, n.manager)
	mergeOwners(ctx, m)
	w := admission{Target: n.Target, object: obj}
	if err := a.admit(ctx, w, admissionSteps); err != nil {
		return err
	}
	if err := a.guard(ctx, Write{Target: n.Target, Object: obj}); err != nil {
		return err
	}
	if err := a.admit(ctx, w, allocations); err != nil {
		return err
	}
	if k.PrepareCreate != nil {
		k.PrepareCreate(obj)
	}
	errs := append(validateMeta(n.Target, m), orValid(k.Validate)(obj)...)
	if err := invalid(n.Target, n.Name, append(errs, orValid(k.ValidateCreate)(obj)...)); err != nil {
		return err
	}
	if err := a.admit(ctx, w, admissionChecks); err != nil {
		return err
	}
	for _, warnings := range []func(context.Context, runtime.Object) []string{k.CreateWarnings, k.Warnings} {
		if warnings != nil {
			warn(ctx, warnings(ctx, obj)...)
		}
	}
	return nil
}

// alreadyExists says that a name is taken, and whether only until the object that has it is gone.
func (a *API) alreadyExists(t Target, obj runtime.Object) error {
	t.Namespace = metaOf(obj).GetNamespace()
	err := apierrors.NewAlreadyExists(t.resource(), t.Name)
	if it := a.store.Snapshot(t.resource()).Get(t.Namespace, t.Name); it != nil {
		if existing, decodeErr := it.Object(); decodeErr == nil && metaOf(existing).GetDeletionTimestamp() != nil {
			err.ErrStatus.Message = "object is being deleted: " + err.ErrStatus.Message
		}
	}
	return err
}
