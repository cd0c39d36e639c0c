package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

const gcUser = "system:controller:generic-garbage-collector"

// garbageCollector deletes what belongs to owners that are gone, of every kind that the server serves.
type garbageCollector struct {
	api   *resource.API
	graph *ownerGraph
}

func newGarbageCollector(e *environment) component {
	c := &garbageCollector{api: e.api, graph: newOwnerGraph()}
	// Events are many, and nobody owns them.
	collected := func(k *kind.Kind) bool { return k.Resource != kind.Event.Resource }
	return &loop[store.Key]{
		name:      "garbagecollector",
		workers:   8,
		sources:   []source[store.Key]{{everything(e.api, collected), c.concerned}},
		reconcile: c.reconcile,
	}
}

// concerned notes who owns whom, and gives those whose fate a change may decide: the object, if it has owners
// or waits for dependents; its dependents, when it goes; its owners, that may wait for it.
func (c *garbageCollector) concerned(e store.Event, add func(store.Key)) {
	o, ok := decoded[metav1.Object](e.Item)
	if !ok {
		return
	}
	gone := e.Type == watch.Deleted
	c.graph.set(e.Item.Key, ownersOf(o, gone))
	if !gone && (len(o.GetOwnerReferences()) > 0 || waitsForDependents(o) || orphansDependents(o)) {
		add(e.Item.Key)
	}
	if gone {
		for _, dependent := range c.graph.dependents(o.GetUID()) {
			add(dependent)
		}
	}
	before, ok := decoded[metav1.Object](e.Prev)
	if !ok {
		before = o
	}
	if gone || !slices.EqualFunc(before.GetOwnerReferences(), o.GetOwnerReferences(), sameReference) {
		for _, ref := range before.GetOwnerReferences() {
			if k, ok := c.owner(ref, e.Item.Key.Namespace); ok {
				add(k)
			}
		}
	}
}

func ownersOf(o metav1.Object, gone bool) []types.UID {
	if gone {
		return nil
	}
	var uids []types.UID
	for _, ref := range o.GetOwnerReferences() {
		uids = append(uids, ref.UID)
	}
	return uids
}

func sameReference(a, b metav1.OwnerReference) bool {
	return a.UID == b.UID && ptr.Deref(a.BlockOwnerDeletion, false) == ptr.Deref(b.BlockOwnerDeletion, false)
}

func (c *garbageCollector) reconcile(ctx context.Context, key store.Key) (time.Duration, error) {
	o, ok := c.read(key)
	switch {
	case !ok:
		return 0, nil
	case orphansDependents(o):
		return 0, c.orphan(ctx, key, o)
	case waitsForDependents(o):
		return 0, c.deleteDependents(ctx, key, o)
	}
	return 0, c.collect(ctx, key, o)
}

// read returns what the cache has under a key.
func (c *garbageCollector) read(key store.Key) (metav1.Object, bool) {
	return decoded[metav1.Object](c.api.Store().Snapshot(key.GroupResource).Get(key.Namespace, key.Name))
}

// collect applies what an object's owners decide about it.
func (c *garbageCollector) collect(ctx context.Context, key store.Key, o metav1.Object) error {
	state := func(ref metav1.OwnerReference) ownerState { return c.state(ref, key.Namespace) }
	plan := planCollect(o, state, c.dependents(o.GetUID()))
	switch {
	case plan.remove:
		if plan.unblock {
			if err := c.change(ctx, key, o.GetUID(), unblockOwners); err != nil {
				return err
			}
		}
		return c.remove(ctx, key, o.GetUID(), plan.policy)
	case len(plan.dropOwners) > 0:
		return c.change(ctx, key, o.GetUID(), dropOwners(plan.dropOwners...))
	}
	return nil
}

// deleteDependents is foreground deletion: the object goes when nothing that blocks it is left.
func (c *garbageCollector) deleteDependents(ctx context.Context, key store.Key, o metav1.Object) error {
	var failed []error
	blocked := false
	for _, k := range c.graph.dependents(o.GetUID()) {
		dependent, ok := c.read(k)
		if !ok {
			continue
		}
		blocked = blocked || blocks(dependent, o.GetUID())
		failed = append(failed, c.collect(ctx, k, dependent))
	}
	if blocked || errors.Join(failed...) != nil {
		return errors.Join(failed...)
	}
	return c.change(ctx, key, o.GetUID(), dropFinalizer(metav1.FinalizerDeleteDependents))
}

// orphan lets go of every dependent, then of the object. It looks at all that is stored rather than at the
// graph, which may be a moment late: a dependent that it missed would be deleted.
func (c *garbageCollector) orphan(ctx context.Context, key store.Key, o metav1.Object) error {
	var dependents []store.Key
	for _, k := range c.api.Kinds().Stored() {
		snapshot, err := c.api.Store().Consistent(ctx, k.GroupResource())
		if err != nil {
			return fmt.Errorf("looking for dependents among %s: %w", k.Resource, err)
		}
		snapshot.Ascend(key.Namespace, "", "", func(item *store.Item) bool {
			if d, ok := decoded[metav1.Object](item); ok && slices.Contains(ownersOf(d, false), o.GetUID()) {
				dependents = append(dependents, item.Key)
			}
			return true
		})
	}
	_, err := sideBySide(len(dependents), func(i int) error {
		return c.change(ctx, dependents[i], "", dropOwners(o.GetUID()))
	})
	if err != nil {
		return err
	}
	return c.change(ctx, key, o.GetUID(), dropFinalizer(metav1.FinalizerOrphanDependents))
}

// state tells what has become of an owner. Of a kind that is not served nothing can be said, and a namespaced
// owner of a cluster-wide object is a mistake that deletes nothing.
func (c *garbageCollector) state(ref metav1.OwnerReference, namespace string) ownerState {
	key, ok := c.owner(ref, namespace)
	if !ok {
		return ownerSolid
	}
	owner, ok := c.read(key)
	switch {
	case !ok || owner.GetUID() != ref.UID:
		return ownerAbsent
	case waitsForDependents(owner):
		return ownerWaiting
	}
	return ownerSolid
}

// owner resolves a reference to the key under which its object would be stored.
func (c *garbageCollector) owner(ref metav1.OwnerReference, namespace string) (store.Key, bool) {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return store.Key{}, false
	}
	k := c.api.Kinds().ByKind(gv.WithKind(ref.Kind))
	if k == nil || k.Namespaced && namespace == "" {
		return store.Key{}, false
	}
	key := store.Key{GroupResource: k.Storage().GroupResource(), Name: ref.Name}
	if k.Namespaced {
		key.Namespace = namespace
	}
	return key, true
}

func (c *garbageCollector) dependents(uid types.UID) []metav1.Object {
	var found []metav1.Object
	for _, key := range c.graph.dependents(uid) {
		if o, ok := c.read(key); ok {
			found = append(found, o)
		}
	}
	return found
}

func (c *garbageCollector) remove(ctx context.Context, key store.Key, uid types.UID, policy metav1.DeletionPropagation) error {
	k := c.api.Kinds().ByResource(key.GroupResource)
	if k == nil {
		return nil
	}
	_, _, err := c.api.Delete(ctx, resource.Target{Kind: k, Namespace: key.Namespace, Name: key.Name, User: gcUser},
		metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &policy})
	if err = ignoreReplaced(err); err != nil {
		return fmt.Errorf("collecting %s %s/%s: %w", key.Resource, key.Namespace, key.Name, err)
	}
	return nil
}

// change edits an object's metadata, if it is still the one with that UID; empty: whichever it is.
func (c *garbageCollector) change(ctx context.Context, key store.Key, uid types.UID, edit func(metav1.Object)) error {
	k := c.api.Kinds().ByResource(key.GroupResource)
	if k == nil {
		return nil
	}
	errs := c.api.UpdateMany(ctx, []resource.Change{{
		Target: resource.Target{Kind: k, Namespace: key.Namespace, Name: key.Name, User: gcUser},
		Mutate: func(o runtime.Object) error {
			if m := o.(metav1.Object); uid == "" || m.GetUID() == uid {
				edit(m)
			}
			return nil
		},
	}})
	if err := ignoreGone(errs[0]); err != nil {
		return fmt.Errorf("changing the metadata of %s %s/%s: %w", key.Resource, key.Namespace, key.Name, err)
	}
	return nil
}

func dropOwners(uids ...types.UID) func(metav1.Object) {
	return func(o metav1.Object) {
		o.SetOwnerReferences(slices.DeleteFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool {
			return slices.Contains(uids, r.UID)
		}))
	}
}

func unblockOwners(o metav1.Object) {
	refs := o.GetOwnerReferences()
	for i := range refs {
		refs[i].BlockOwnerDeletion = ptr.To(false)
	}
	o.SetOwnerReferences(refs)
}

func dropFinalizer(name string) func(metav1.Object) {
	return func(o metav1.Object) {
		o.SetFinalizers(slices.DeleteFunc(o.GetFinalizers(), func(f string) bool { return f == name }))
	}
}
