package resource

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	internalvalidation "k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/store"
)

// List is the items that a list request selects, still as stored bytes, in the order of namespace and name.
type List struct {
	Items     []*store.Item
	Revision  int64
	Continue  string // asks for the next page; "" when this is the last one
	Remaining *int64 // how many items come after this page; nil where that is not known
}

// List returns what a request selects. By resourceVersion: none is as new as etcd is now, "0" is what the cache
// holds, another one is at least as new, or exactly that with resourceVersionMatch=Exact (and for pages). Pages after
// the first are of the first one's revision.
func (a *API) List(ctx context.Context, t Target, o metav1.ListOptions) (*List, error) {
	if t.Kind.Of != nil {
		return a.listMade(ctx, t, o)
	}
	if err := validateListOptions(o, false); err != nil {
		return nil, err
	}
	s, err := newSelector(t, o)
	if err != nil {
		return nil, err
	}
	var after continuation
	if o.Continue != "" {
		if after, err = parseContinue(t, o.Continue); err != nil {
			return nil, apierrors.NewBadRequest(err.Error())
		}
	}
	snapshot, err := a.snapshot(ctx, t, o, after)
	if err != nil {
		return nil, err
	}
	list, err := collect(snapshot, s, after, o.Limit)
	if err != nil {
		return nil, asStatus(t, err)
	}
	if list.Continue != "" {
		a.pages.keep(t.resource(), snapshot)
	}
	return list, asStatus(t, t.showAll(list.Items))
}

func validateListOptions(o metav1.ListOptions, watch bool) error {
	return invalidOptions("ListOptions", internalvalidation.ValidateListOptions(&internalversion.ListOptions{
		Watch:                watch,
		ResourceVersion:      o.ResourceVersion,
		ResourceVersionMatch: o.ResourceVersionMatch,
		Continue:             o.Continue,
		SendInitialEvents:    o.SendInitialEvents,
	}, true))
}

// snapshot is the state that a list request is about.
func (a *API) snapshot(ctx context.Context, t Target, o metav1.ListOptions, after continuation) (*store.Snapshot, error) {
	if o.Limit < 0 {
		return nil, apierrors.NewBadRequest("limit must not be negative")
	}
	if o.Continue != "" {
		if o.ResourceVersion != "" && o.ResourceVersion != "0" {
			return nil, apierrors.NewBadRequest("specifying resource version is not allowed when using continue")
		}
		return a.nextPage(ctx, t, after)
	}
	revision, err := parseRevision(o.ResourceVersion)
	if err != nil {
		return nil, err
	}
	exact := o.ResourceVersionMatch == metav1.ResourceVersionMatchExact || o.ResourceVersionMatch == "" && o.Limit > 0
	if revision > 0 && exact {
		snapshot, err := a.past(ctx, t, revision)
		if errors.Is(err, store.ErrExpired) {
			return nil, apierrors.NewResourceExpired(fmt.Sprintf("The resourceVersion for the provided list is too old: %d", revision))
		}
		return snapshot, asStatus(t, err)
	}
	return a.read(ctx, t, o.ResourceVersion)
}

func (a *API) nextPage(ctx context.Context, t Target, after continuation) (*store.Snapshot, error) {
	if after.Revision == latest {
		snapshot, err := a.store.Consistent(ctx, t.resource())
		return snapshot, asStatus(t, err)
	}
	snapshot, err := a.past(ctx, t, after.Revision)
	if errors.Is(err, store.ErrExpired) {
		return nil, expiredContinue(t, after)
	}
	return snapshot, asStatus(t, err)
}

// expiredContinue offers to go on with whatever there is by now.
func expiredContinue(t Target, after continuation) error {
	err := apierrors.NewResourceExpired("The provided continue parameter is too old to display a consistent list result. " +
		"You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
		"Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time " +
		"the first chunk was returned and now may show up in the list.")
	key := store.Key{GroupResource: t.resource(), Namespace: after.Namespace, Name: after.Name}
	err.ErrStatus.ListMeta.Continue = continueAfter(key, latest)
	return err
}

// past is the state at a revision, from the pages kept, the cache, or etcd.
func (a *API) past(ctx context.Context, t Target, revision int64) (*store.Snapshot, error) {
	now := a.store.Snapshot(t.resource())
	if now.Revision() == revision {
		return now, nil
	}
	if kept := a.pages.find(t.resource(), revision); kept != nil {
		return kept, nil
	}
	snapshot, err := a.store.At(ctx, t.resource(), revision)
	if errors.Is(err, store.ErrFuture) {
		return nil, tooLargeRevision(revision, now.Revision())
	}
	return snapshot, err
}

// collect takes what is selected after a place, up to a limit; 0 is all.
func collect(snapshot *store.Snapshot, s *selector, after continuation, limit int64) (*List, error) {
	list := &List{Revision: snapshot.Revision()}
	if s.one() {
		return list, list.add(snapshot.Get(s.namespace, s.name), s)
	}
	if s.all() && s.namespace == "" && limit == 0 {
		list.Items = make([]*store.Item, 0, snapshot.Len())
	}
	var failed error
	var remaining int64
	snapshot.Ascend(s.namespace, after.Namespace, after.Name, func(it *store.Item) bool {
		if limit > 0 && int64(len(list.Items)) == limit && s.all() {
			remaining++
			return true
		}
		ok, err := s.matches(it)
		switch {
		case err != nil:
			failed = err
			return false
		case !ok:
			return true
		case limit > 0 && int64(len(list.Items)) == limit:
			remaining++
			return false
		}
		list.Items = append(list.Items, it)
		return true
	})
	if remaining > 0 {
		list.Continue = continueAfter(list.Items[limit-1].Key, list.Revision)
		if s.all() {
			list.Remaining = &remaining
		}
	}
	return list, failed
}

// add takes the one item that a list can have, if it is there and selected.
func (l *List) add(it *store.Item, s *selector) error {
	if it == nil {
		return nil
	}
	ok, err := s.matches(it)
	if ok {
		l.Items = []*store.Item{it}
	}
	return err
}
