package rbac

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
	"leme/server/resource"
)

// CreateGuard is a resource.Guard: an update or an apply that makes its object needs the permission to create one.
func CreateGuard(authorizer auth.Authorizer) resource.Guard {
	return func(ctx context.Context, w resource.Write) error {
		r, ok := auth.RequestOf(ctx)
		if !ok || w.Old != nil || r.Attributes.Verb == "create" {
			return nil
		}
		a := r.Attributes
		a.Verb = "create"
		if allowed, reason := authorizer.Authorize(r.User, a); !allowed {
			name := w.Object.(metav1.Object).GetName()
			return apierrors.NewForbidden(w.Kind.GroupResource(), name, auth.Refusal(r.User, a, reason))
		}
		return nil
	}
}
