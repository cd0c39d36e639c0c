package resource

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/store"
)

// Get returns one object, also as that of which a part can be written, or its scale. Without a resourceVersion it is as new as etcd is now, with "0" what the
// cache holds, otherwise at least as new as that revision.
func (a *API) Get(ctx context.Context, t Target, o metav1.GetOptions) (*store.Item, error) {
	if t.Kind.Of != nil {
		return a.getMade(ctx, t, o)
	}
	snapshot, err := a.read(ctx, t, o.ResourceVersion)
	if err != nil {
		return nil, err
	}
	it := snapshot.Get(t.Namespace, t.Name)
	if it == nil {
		return nil, apierrors.NewNotFound(t.resource(), t.Name)
	}
	switch s, ok := t.Kind.Subresource(t.Subresource); {
	case t.Subresource == "", ok && s.Prepare != nil && slices.Contains(s.Verbs, "get"):
		return t.shown(it, nil)
	case t.Subresource == Scale:
		item, err := scaleItem(t, it)
		return item, asStatus(t, err)
	}
	return nil, apierrors.NewMethodNotSupported(t.resource(), "get")
}

// read returns a snapshot at least as new as a resourceVersion, by the rules of a get.
func (a *API) read(ctx context.Context, t Target, resourceVersion string) (*store.Snapshot, error) {
	if resourceVersion == "" {
		snapshot, err := a.store.Consistent(ctx, t.resource())
		return snapshot, asStatus(t, err)
	}
	revision, err := parseRevision(resourceVersion)
	if err != nil {
		return nil, err
	}
	if revision == 0 {
		return a.store.Snapshot(t.resource()), nil
	}
	return a.notOlderThan(ctx, t, revision)
}

func (a *API) notOlderThan(ctx context.Context, t Target, revision int64) (*store.Snapshot, error) {
	snapshot, err := a.store.NotOlderThan(ctx, t.resource(), revision)
	if errors.Is(err, store.ErrFuture) {
		return nil, tooLargeRevision(revision, a.store.Snapshot(t.resource()).Revision())
	}
	return snapshot, asStatus(t, err)
}

// current is the newest item that this server knows, for a write that states its revision as a precondition;
// etcd is asked only when there seems to be none.
func (a *API) current(ctx context.Context, t Target) (*store.Item, error) {
	if it := a.store.Snapshot(t.resource()).Get(t.Namespace, t.Name); it != nil {
		return it, nil
	}
	snapshot, err := a.store.Consistent(ctx, t.resource())
	if err != nil {
		return nil, err
	}
	return snapshot.Get(t.Namespace, t.Name), nil
}
