package controller

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// claims is which objects an owner controls by its selector, and which it should begin or cease to.
type claims[T object] struct {
	owned, adopt, release []T
}

// claim sorts objects by whose they are: an object has at most one controller, which its owner references
// name; an orphan that the selector matches is adopted, a child that it no longer matches is released.
func claim[T object](owner metav1.Object, selector labels.Selector, objects []T) claims[T] {
	var c claims[T]
	for _, o := range objects {
		controller := metav1.GetControllerOfNoCopy(o)
		matches := selector.Matches(labels.Set(o.GetLabels()))
		switch {
		case controller != nil && controller.UID != owner.GetUID():
		case controller != nil && matches:
			c.owned = append(c.owned, o)
		case owner.GetDeletionTimestamp() != nil:
		case controller != nil:
			c.release = append(c.release, o)
		case matches && o.GetDeletionTimestamp() == nil:
			c.adopt = append(c.adopt, o)
		}
	}
	return c
}

// claimPods gives the pods that an owner controls by its label selector, once the owner references say so, and that
// selector. A selector that the API would not admit controls none, which is no error, and is nil.
func claimPods(ctx context.Context, pods resource.Typed[*corev1.Pod], owner metav1.Object, gvk schema.GroupVersionKind, by *metav1.LabelSelector, among func(*corev1.Pod) bool) ([]*corev1.Pod, labels.Selector, error) {
	selector, err := metav1.LabelSelectorAsSelector(by)
	if err != nil || selector.Empty() {
		return nil, nil, nil
	}
	mine := claim(owner, selector, pods.List(owner.GetNamespace(), among))
	owned, err := mine.apply(ctx, pods, owner, gvk)
	return owned, selector, err
}

// mayClaim tells, for listing, whether an object is the owner's or anybody's.
func mayClaim[T object](owner metav1.Object) func(T) bool {
	return func(o T) bool {
		controller := metav1.GetControllerOfNoCopy(o)
		return controller == nil || controller.UID == owner.GetUID()
	}
}

// apply writes the owner references, and returns what the owner controls now.
func (c claims[T]) apply(ctx context.Context, objects resource.Typed[T], owner metav1.Object, gvk schema.GroupVersionKind) ([]T, error) {
	owned := slices.Clone(c.owned)
	for _, o := range c.adopt {
		adopted, err := objects.Update(ctx, o.GetNamespace(), o.GetName(), adoptBy[T](owner, gvk, o))
		if err != nil {
			return nil, fmt.Errorf("adopting %s: %w", o.GetName(), err)
		}
		owned = append(owned, adopted)
	}
	for _, o := range c.release {
		if _, err := objects.Update(ctx, o.GetNamespace(), o.GetName(), releaseBy[T](owner)); ignoreGone(err) != nil {
			return nil, fmt.Errorf("releasing %s: %w", o.GetName(), err)
		}
	}
	return owned, nil
}

func adoptBy[T object](owner metav1.Object, gvk schema.GroupVersionKind, seen T) func(T) error {
	return func(o T) error {
		if c := metav1.GetControllerOf(o); o.GetUID() != seen.GetUID() || c != nil && c.UID != owner.GetUID() {
			return fmt.Errorf("%s is no longer an orphan", o.GetName())
		}
		if metav1.GetControllerOf(o) == nil {
			o.SetOwnerReferences(append(o.GetOwnerReferences(), *metav1.NewControllerRef(owner, gvk)))
		}
		return nil
	}
}

func releaseBy[T object](owner metav1.Object) func(T) error {
	return func(o T) error {
		o.SetOwnerReferences(slices.DeleteFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool {
			return r.UID == owner.GetUID()
		}))
		return nil
	}
}

// lister is what ofPods needs of the owners.
type lister[T metav1.Object] interface {
	List(namespace string, selector func(T) bool) []T
}

// ofPods gives, of a pod's change, the one of a kind that controls the pod, or did; of an orphan those that may want to
// adopt it.
func ofPods[T metav1.Object](k *kind.Kind, owners lister[T], wants func(T, *corev1.Pod) bool) func(store.Event, func(objectKey)) {
	return func(e store.Event, add func(objectKey)) {
		for _, item := range []*store.Item{e.Prev, e.Item} {
			pod, ok := decoded[*corev1.Pod](item)
			if !ok {
				continue
			}
			if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
				if owner.Kind == k.Kind {
					add(objectKey{Namespace: pod.Namespace, Name: owner.Name})
				}
				continue
			}
			for _, o := range owners.List(pod.Namespace, func(o T) bool { return wants(o, pod) }) {
				add(objectKey{Namespace: o.GetNamespace(), Name: o.GetName()})
			}
		}
	}
}
