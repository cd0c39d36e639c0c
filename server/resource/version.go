package resource

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/store"
)

// A target's kind is the version that its client speaks. Objects come in and go out in it; everything between, from
// admission to the store, sees them in the form that is stored. A kind that is stored as it is passes untouched.

// converted says that what a client sends and gets is another form of what is stored.
func (t Target) converted() bool {
	if t.Kind.Stored == nil || t.Subresource == "" {
		return t.Kind.Stored != nil
	}
	s, ok := t.Kind.Subresource(t.Subresource)
	return ok && s.New == nil
}

// stored is what a client sent, with the defaults of its version, in the form that is stored.
func (t Target) stored(obj runtime.Object) (runtime.Object, error) {
	stored := t.Kind.Storage()
	if !t.converted() || obj.GetObjectKind().GroupVersionKind() == stored.GroupVersionKind {
		return obj, nil
	}
	complete(t.Kind, obj)
	converted, err := t.Kind.ToStored(obj)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("converting from %s: %v", t.Kind.GroupVersion(), err))
	}
	converted.GetObjectKind().SetGroupVersionKind(stored.GroupVersionKind)
	return converted, nil
}

// shown is a stored item as the client sees it, made once a revision. It passes errors on.
func (t Target) shown(it *store.Item, err error) (*store.Item, error) {
	if err != nil || it == nil || !t.converted() {
		return it, err
	}
	it, err = it.Form(t.Kind, t.form)
	return it, asStatus(t, err)
}

func (t Target) form(it *store.Item) (*store.Item, error) {
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	converted, err := t.Kind.FromStored(obj)
	if err != nil {
		return nil, fmt.Errorf("converting %s to %s: %w", it.Key, t.Kind.GroupVersion(), err)
	}
	converted.GetObjectKind().SetGroupVersionKind(t.Kind.GroupVersionKind)
	raw, err := store.Encode(converted, t.Kind.GroupVersionKind)
	if err != nil {
		return nil, err
	}
	return newItem(it.Key, it.Revision, raw, converted), nil
}

// showAll puts what a client sees in the place of each item. The list is its caller's own.
func (t Target) showAll(items []*store.Item) error {
	if !t.converted() {
		return nil
	}
	for i, it := range items {
		var err error
		if items[i], err = t.shown(it, nil); err != nil {
			return err
		}
	}
	return nil
}

// showEvents is showAll for changes, which are shared by all who watch.
func (t Target) showEvents(events []store.Event) ([]store.Event, error) {
	if !t.converted() {
		return events, nil
	}
	shown := make([]store.Event, len(events))
	for i, e := range events {
		var err error
		if e.Item, err = t.shown(e.Item, nil); err != nil {
			return nil, err
		}
		shown[i] = e
	}
	return shown, nil
}

// inVersion lets a change that a client describes see and give objects of the client's version.
func (t Target) inVersion(change func(*store.Item) (runtime.Object, error)) func(*store.Item) (runtime.Object, error) {
	if !t.converted() {
		return change
	}
	return func(current *store.Item) (runtime.Object, error) {
		shown, err := t.shown(current, nil)
		if err != nil {
			return nil, err
		}
		obj, err := change(shown)
		if err != nil {
			return nil, err
		}
		return t.stored(obj)
	}
}

// complete gives an object its type and its kind's defaults.
func complete(k *kind.Kind, obj runtime.Object) {
	obj.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
	if k.Default != nil {
		k.Default(obj)
	}
}
