package resource

import (
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/kind"
)

// rules are what an update of an object, or of one of its subresources, keeps and checks.
type rules struct {
	prepare  func(updated, old runtime.Object)
	validate func(updated, old runtime.Object) field.ErrorList
}

func rulesOf(t Target) (rules, error) {
	k := t.Kind
	switch {
	case t.Subresource == "", t.Subresource == Scale && k.Scale != nil:
		return rules{orNothing(k.PrepareUpdate), func(updated, old runtime.Object) field.ErrorList {
			return append(orValid(k.Validate)(updated), orValidOver(k.ValidateUpdate)(updated, old)...)
		}}, nil
	case t.Subresource == Status && k.HasStatus:
		return rules{orNothing(k.PrepareStatus), orValidOver(k.ValidateStatus)}, nil
	case t.Subresource == Finalize && k.GroupResource() == kind.Namespace.GroupResource():
		return rules{keepNamespaceStatus, orValidOver(nil)}, nil
	}
	return rules{}, apierrors.NewMethodNotSupported(t.resource(), "update")
}

func keepNamespaceStatus(updated, old runtime.Object) {
	updated.(*corev1.Namespace).Status = old.(*corev1.Namespace).Status
}

func orNothing(prepare func(updated, old runtime.Object)) func(updated, old runtime.Object) {
	if prepare == nil {
		return func(runtime.Object, runtime.Object) {}
	}
	return prepare
}

func orValid(validate func(runtime.Object) field.ErrorList) func(runtime.Object) field.ErrorList {
	if validate == nil {
		return func(runtime.Object) field.ErrorList { return nil }
	}
	return validate
}

func orValidOver(validate func(updated, old runtime.Object) field.ErrorList) func(updated, old runtime.Object) field.ErrorList {
	if validate == nil {
		return func(_, _ runtime.Object) field.ErrorList { return nil }
	}
	return validate
}
