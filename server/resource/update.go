package resource

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/store"
)

// Update replaces an object, its status, its scale or a namespace's finalizers. An object with a resourceVersion
// replaces that revision only; without one it replaces whatever there is, where its kind allows that. The result
// has the same revision as before when nothing changed. created is true where the kind may be made by an update.
// The object is Update's own afterwards.
func (a *API) Update(ctx context.Context, t Target, obj runtime.Object, o metav1.UpdateOptions) (it *store.Item, created bool, err error) {
	if err := invalidOptions("UpdateOptions", metav1validation.ValidateUpdateOptions(&o)); err != nil {
		return nil, false, err
	}
	if err := checkName(t, metaOf(obj)); err != nil {
		return nil, false, err
	}
	e := edit{
		Target:  t,
		manager: managerOf(t, o.FieldManager),
		dryRun:  len(o.DryRun) > 0,
		create:  t.Subresource == "" && t.Kind.CreateOnUpdate,
		change:  func(*store.Item) (runtime.Object, error) { return obj.DeepCopyObject(), nil },
	}
	if t.Subresource == Scale {
		it, err := a.updateScale(ctx, e)
		return it, false, err
	}
	e.change = t.inVersion(e.change)
	it, created, err = a.put(ctx, e)
	it, err = t.shown(it, err)
	return it, created, err
}
