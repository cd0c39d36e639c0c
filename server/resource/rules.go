package resource

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// rules are what an update of an object, or of one of its subresources, keeps and checks.
type rules struct {
	prepare  func(updated, old runtime.Object)
	validate func(updated, old runtime.Object) field.ErrorList
	warnings func(context.Context, runtime.Object) []string
}

func rulesOf(t Target) (rules, error) {
	k := t.Kind
	if t.Subresource == "" || t.Subresource == Scale && k.Scale != nil {
		validate := func(updated, old runtime.Object) field.ErrorList {
			return append(orValid(k.Validate)(updated), orValidOver(k.ValidateUpdate)(updated, old)...)
		}
		return rules{orNothing(k.PrepareUpdate), validate, k.Warnings}, nil
	}
	if s, ok := k.Subresource(t.Subresource); ok && s.Prepare != nil {
		return rules{s.Prepare, orValidOver(s.Validate), s.Warnings}, nil
	}
	return rules{}, apierrors.NewMethodNotSupported(t.resource(), "update")
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
