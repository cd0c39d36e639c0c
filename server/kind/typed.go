package kind

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The functions here turn a kind's typed functions into the untyped ones that a Kind holds, so that the files of
// the kinds never mention runtime.Object. A wrong type is a bug of the caller and panics.

func rbac(name string) schema.GroupVersionKind { return rbacv1.SchemeGroupVersion.WithKind(name) }
func core(name string) schema.GroupVersionKind { return corev1.SchemeGroupVersion.WithKind(name) }
func apps(name string) schema.GroupVersionKind { return appsv1.SchemeGroupVersion.WithKind(name) }
func storage(name string) schema.GroupVersionKind {
	return storagev1.SchemeGroupVersion.WithKind(name)
}
func coordination(name string) schema.GroupVersionKind {
	return coordinationv1.SchemeGroupVersion.WithKind(name)
}

func networking(name string) schema.GroupVersionKind {
	return networkingv1.SchemeGroupVersion.WithKind(name)
}

// object is a pointer to T that is an API object.
type object[T any] interface {
	*T
	runtime.Object
}

func makes[T any, P object[T]]() func() runtime.Object {
	return func() runtime.Object { return P(new(T)) }
}

func changes[P runtime.Object](f func(P)) func(runtime.Object) {
	return func(obj runtime.Object) { f(obj.(P)) }
}

func changesOver[P runtime.Object](f func(updated, old P)) func(updated, old runtime.Object) {
	return func(updated, old runtime.Object) { f(updated.(P), old.(P)) }
}

func validates[P runtime.Object](f func(P) field.ErrorList) func(runtime.Object) field.ErrorList {
	return func(obj runtime.Object) field.ErrorList { return f(obj.(P)) }
}

func validatesOver[P runtime.Object](f func(updated, old P) field.ErrorList) func(updated, old runtime.Object) field.ErrorList {
	return func(updated, old runtime.Object) field.ErrorList { return f(updated.(P), old.(P)) }
}

func warns[P runtime.Object](f func(P) []string) func(context.Context, runtime.Object) []string {
	return func(_ context.Context, obj runtime.Object) []string { return f(obj.(P)) }
}

func prints[P runtime.Object](f func(P) []any) func(runtime.Object) []any {
	return func(obj runtime.Object) []any { return f(obj.(P)) }
}

// selectable is one field that a field selector may name.
type selectable[P runtime.Object] struct {
	label string
	value func(P) string
}

func labelsOf[P runtime.Object](list []selectable[P]) []string {
	labels := make([]string, len(list))
	for i, s := range list {
		labels[i] = s.label
	}
	return labels
}

func valuesOf[P runtime.Object](list []selectable[P]) func(runtime.Object) fields.Set {
	return func(obj runtime.Object) fields.Set {
		set := make(fields.Set, len(list))
		for _, s := range list {
			set[s.label] = s.value(obj.(P))
		}
		return set
	}
}

func graces[P runtime.Object](f func(P, *int64) int64) func(runtime.Object, *int64) int64 {
	return func(obj runtime.Object, requested *int64) int64 { return f(obj.(P), requested) }
}
