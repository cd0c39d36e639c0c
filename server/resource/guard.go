package resource

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Write is one write as a Guard sees it: defaulted and admitted, not yet validated.
type Write struct {
	Target
	Object runtime.Object // what is wanted, whole, also when a subresource is written; nil for a deletion
	Old    runtime.Object // what is there; nil for a new object
}

// OwnersOnly tells whether a write changes nothing but owners, finalizers and bookkeeping: the garbage collector's work,
// which need not have every permission.
func (w Write) OwnersOnly() bool {
	if w.Old == nil {
		return false
	}
	return equality.Semantic.DeepEqual(withoutOwners(w.Object, w.Old), w.Old)
}

// withoutOwners is an object with another's owners and bookkeeping.
func withoutOwners(obj, like runtime.Object) runtime.Object {
	obj = obj.DeepCopyObject()
	m, old := obj.(metav1.Object), like.(metav1.Object)
	m.SetOwnerReferences(old.GetOwnerReferences())
	m.SetFinalizers(old.GetFinalizers())
	m.SetManagedFields(old.GetManagedFields())
	m.SetResourceVersion(old.GetResourceVersion())
	obj.GetObjectKind().SetGroupVersionKind(like.GetObjectKind().GroupVersionKind())
	return obj
}

// Guard lets a write pass, or refuses it with an API error. It tells by the context who asks; it must not change the
// objects, and may be asked again about the same write.
type Guard func(ctx context.Context, w Write) error

// WithGuards adds guards, which are asked about every write after admission, in order.
func WithGuards(guards ...Guard) Option {
	return func(a *API) { a.guards = append(a.guards, guards...) }
}

func (a *API) guard(ctx context.Context, w Write) error {
	for _, guard := range a.guards {
		if err := guard(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
