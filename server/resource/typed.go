package resource

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/store"
)

// Typed is typed access to one kind for what runs inside the server. Reads come from the cache without I/O and are
// shared: DeepCopy what you change. Writes wait until the cache shows them.
type Typed[T runtime.Object] struct {
	api    *API
	target Target
}

// For gives a component typed access to a kind; T is the kind's Go type, user is who owns the fields it sets.
func For[T runtime.Object](a *API, k *kind.Kind, user string) Typed[T] {
	return Typed[T]{api: a, target: Target{Kind: k, User: user}}
}

func (c Typed[T]) at(namespace, name, subresource string) Target {
	t := c.target
	t.Namespace, t.Name, t.Subresource = namespace, name, subresource
	return t
}

func (c Typed[T]) snapshot() *store.Snapshot { return c.api.store.Snapshot(c.target.resource()) }

// Get returns an object from the cache. An object that cannot be decoded is not there.
func (c Typed[T]) Get(namespace, name string) (obj T, ok bool) {
	it := c.snapshot().Get(namespace, name)
	if it == nil {
		return obj, false
	}
	obj, err := typed[T](it, nil)
	return obj, err == nil
}

// List returns the objects of a namespace (of all when empty) that the selector accepts (all when nil), in the order
// of namespace and name.
func (c Typed[T]) List(namespace string, selector func(T) bool) []T {
	var list []T
	c.snapshot().Ascend(namespace, "", "", func(it *store.Item) bool {
		if obj, err := typed[T](it, nil); err == nil && (selector == nil || selector(obj)) {
			list = append(list, obj)
		}
		return true
	})
	return list
}

// Create makes an object, which is Create's own afterwards.
func (c Typed[T]) Create(ctx context.Context, obj T) (T, error) {
	return typed[T](c.api.Create(ctx, c.at(metaOf(obj).GetNamespace(), "", ""), obj, metav1.CreateOptions{}))
}

// Update calls mutate on a private copy of the object and writes that, again with a newer copy when somebody else was
// faster. Nothing is written when mutate changes nothing; its error is returned as it is.
func (c Typed[T]) Update(ctx context.Context, namespace, name string, mutate func(T) error) (T, error) {
	return c.update(ctx, c.at(namespace, name, ""), mutate)
}

// UpdateStatus is Update for the status subresource.
func (c Typed[T]) UpdateStatus(ctx context.Context, namespace, name string, mutate func(T) error) (T, error) {
	return c.update(ctx, c.at(namespace, name, Status), mutate)
}

// UpdateSubresource is Update for another part of the object that is written alone.
func (c Typed[T]) UpdateSubresource(ctx context.Context, namespace, name, subresource string, mutate func(T) error) (T, error) {
	return c.update(ctx, c.at(namespace, name, subresource), mutate)
}

func (c Typed[T]) update(ctx context.Context, t Target, mutate func(T) error) (T, error) {
	e := edit{Target: t, manager: managerOf(t, ""), change: func(it *store.Item) (runtime.Object, error) {
		return mutated(it, func(obj runtime.Object) error { return mutate(obj.(T)) })
	}}
	it, _, err := c.api.put(ctx, e)
	return typed[T](it, err)
}

// errNoChange ends an edit that has nothing to write.
var errNoChange = errors.New("nothing changes")

// mutated is a changed copy of an item, or errNoChange.
func mutated(it *store.Item, mutate func(runtime.Object) error) (runtime.Object, error) {
	old, err := it.Object()
	if err != nil {
		return nil, err
	}
	obj := old.DeepCopyObject()
	if err := mutate(obj); err != nil {
		return nil, refusal{err}
	}
	if equality.Semantic.DeepEqual(obj, old) {
		return nil, errNoChange
	}
	return obj, nil
}

// Delete deletes an object; see API.Delete.
func (c Typed[T]) Delete(ctx context.Context, namespace, name string, o metav1.DeleteOptions) error {
	_, _, err := c.api.Delete(ctx, c.at(namespace, name, ""), o)
	return err
}

// typed is an item's object.
func typed[T runtime.Object](it *store.Item, err error) (obj T, _ error) {
	if err != nil {
		return obj, err
	}
	shared, err := it.Object()
	if err != nil {
		return obj, asStatus(Target{}, err)
	}
	return shared.(T), nil
}
