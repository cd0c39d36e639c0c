package controller

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"leme/server/resource"
)

// object is what controllers handle: decoded, and with metadata.
type object interface {
	runtime.Object
	metav1.Object
}

// removeSeen deletes the object that was seen, and not one that was made since by the same name.
func removeSeen[T object](ctx context.Context, objects resource.Typed[T], o T, options metav1.DeleteOptions) error {
	options.Preconditions = &metav1.Preconditions{UID: ptr.To(o.GetUID())}
	return ignoreReplaced(objects.Delete(ctx, o.GetNamespace(), o.GetName(), options))
}

// statuses writes the status of objects.
type statuses[T object] interface {
	UpdateStatus(ctx context.Context, namespace, name string, mutate func(T) error) (T, error)
}

// setStatus changes the status of the object that was seen, and not of one that was made since by the same name.
func setStatus[T object](ctx context.Context, objects statuses[T], seen T, set func(T)) error {
	_, err := objects.UpdateStatus(ctx, seen.GetNamespace(), seen.GetName(), func(o T) error {
		if o.GetUID() == seen.GetUID() {
			set(o)
		}
		return nil
	})
	return ignoreGone(err)
}

// ignoreReplaced is for deletions of one UID: that there is another one now is as good as none.
func ignoreReplaced(err error) error {
	if apierrors.IsConflict(err) {
		return nil
	}
	return ignoreGone(err)
}

// ignoreGone is for writes to what may have been deleted meanwhile, which is then no failure.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func hasFinalizer(o metav1.Object, name string) bool { return slices.Contains(o.GetFinalizers(), name) }
