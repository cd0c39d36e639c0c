package resource

import (
	"context"
	"encoding/json"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
	"leme/server/store"
)

// Maker makes objects of the kinds that are not stored (kind.Kind.Of) from the object that they are about; ok is false
// where there is nothing to tell of it, or not yet.
type Maker func(k *kind.Kind, about runtime.Object) (made runtime.Object, ok bool)

// WithMaker sets what makes the objects that are not stored. Without one there are none.
func WithMaker(m Maker) Option {
	return func(a *API) { a.maker = m }
}

// getMade makes one object.
func (a *API) getMade(ctx context.Context, t Target, o metav1.GetOptions) (*store.Item, error) {
	about, err := a.Get(ctx, t.about(), o)
	if err != nil {
		return nil, err
	}
	it, err := a.make(t, about)
	if err == nil && it == nil {
		name := t.Name
		if t.Namespace != "" {
			name = t.Namespace + "/" + name
		}
		err = apierrors.NewNotFound(t.madeResource(), name) // as metrics-server says that there is nothing yet
	}
	return it, err
}

// listMade makes the objects about those that a request selects: they have the same names and labels.
func (a *API) listMade(ctx context.Context, t Target, o metav1.ListOptions) (*List, error) {
	if _, err := newSelector(t, o); err != nil { // the objects' own fields cannot be selected by
		return nil, err
	}
	list, err := a.List(ctx, t.about(), o)
	if err != nil {
		return nil, err
	}
	made := &List{Items: make([]*store.Item, 0, len(list.Items)), Revision: list.Revision, Continue: list.Continue, Remaining: list.Remaining}
	for _, about := range list.Items {
		it, err := a.make(t, about)
		if err != nil {
			return nil, err
		}
		if it != nil {
			made.Items = append(made.Items, it)
		}
	}
	return made, nil
}

// make is nil where there is nothing to tell.
func (a *API) make(t Target, about *store.Item) (*store.Item, error) {
	if a.maker == nil {
		return nil, nil
	}
	of, err := about.Object()
	if err != nil {
		return nil, asStatus(t, err)
	}
	obj, ok := a.maker(t.Kind, of)
	if !ok {
		return nil, nil
	}
	obj.GetObjectKind().SetGroupVersionKind(t.Kind.GroupVersionKind)
	raw, err := json.Marshal(obj)
	if err != nil {
		return nil, asStatus(t, err)
	}
	return store.NewItem(about.Key, 0, raw, obj), nil
}

// about is the target's counterpart in the store.
func (t Target) about() Target {
	t.Kind = t.Kind.Of
	return t
}

// madeResource names what there is nothing of: by the kind, as its resource is named like the stored one.
func (t Target) madeResource() schema.GroupResource {
	return schema.GroupResource{Group: t.Kind.Group, Resource: strings.ToLower(t.Kind.Kind)}
}
