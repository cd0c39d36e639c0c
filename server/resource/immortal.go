package resource

import (
	"errors"
	"slices"

	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

// immortalNamespaces cannot be deleted.
var immortalNamespaces = []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic}

// immortal refuses the deletion of what no cluster can be without.
func immortal(t Target) error {
	switch t.resource() {
	case kind.Namespace.GroupResource():
		if slices.Contains(immortalNamespaces, t.Name) {
			return apierrors.NewForbidden(t.resource(), t.Name, errors.New("this namespace may not be deleted"))
		}
	case kind.PriorityClass.GroupResource():
		named := func(class *schedulingv1.PriorityClass) bool { return class.Name == t.Name }
		if slices.ContainsFunc(kind.SystemPriorityClasses(), named) {
			return apierrors.NewForbidden(t.resource(), t.Name, errors.New("this is a system priority class and cannot be deleted"))
		}
	}
	return nil
}
