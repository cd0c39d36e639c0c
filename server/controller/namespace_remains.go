package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/resource"
)

// remains are the conditions that say why a namespace is still there once all in it is being deleted, in Kubernetes'
// words: what has not gone, and which finalizers hold it.
func remains(contents []content) []corev1.NamespaceCondition {
	var left []string
	held := map[string]int{}
	for _, c := range contents {
		if c.left > 0 {
			left = append(left, fmt.Sprintf("%s.%s has %d resource instances", c.kind.Resource, c.kind.Group, c.left))
		}
		for finalizer, n := range c.finalizers {
			held[finalizer] += n
		}
	}
	conditions := []corev1.NamespaceCondition{{
		Type: corev1.NamespaceContentRemaining, Status: corev1.ConditionTrue, Reason: "SomeResourcesRemain",
		Message: "Some resources are remaining: " + strings.Join(left, ", "),
	}}
	if len(held) == 0 {
		return append(conditions, corev1.NamespaceCondition{
			Type: corev1.NamespaceFinalizersRemaining, Status: corev1.ConditionFalse, Reason: "ContentHasNoFinalizers",
			Message: "All content-preserving finalizers finished",
		})
	}
	var holding []string
	for _, finalizer := range slices.Sorted(maps.Keys(held)) {
		holding = append(holding, fmt.Sprintf("%s in %d resource instances", finalizer, held[finalizer]))
	}
	return append(conditions, corev1.NamespaceCondition{
		Type: corev1.NamespaceFinalizersRemaining, Status: corev1.ConditionTrue, Reason: "SomeFinalizersRemain",
		Message: "Some content in the namespace has finalizers remaining: " + strings.Join(holding, ", "),
	})
}

// tell puts conditions into a namespace's status.
func (c *namespaces) tell(ctx context.Context, ns *corev1.Namespace, conditions []corev1.NamespaceCondition) error {
	errs := c.api.UpdateMany(ctx, []resource.Change{{
		Target: resource.Target{Kind: kind.Namespace, Name: ns.Name, Subresource: resource.Status, User: namespaceUser},
		Mutate: func(o runtime.Object) error {
			current := o.(*corev1.Namespace)
			if current.UID != ns.UID {
				return apierrors.NewNotFound(kind.Namespace.GroupResource(), ns.Name)
			}
			for _, condition := range conditions {
				current.Status.Conditions = withCondition(current.Status.Conditions, condition, metav1.Now())
			}
			return nil
		},
	}})
	return ignoreGone(errs[0])
}

// withCondition sets a condition, which keeps its time while its status stays.
func withCondition(all []corev1.NamespaceCondition, c corev1.NamespaceCondition, now metav1.Time) []corev1.NamespaceCondition {
	c.LastTransitionTime = now
	i := slices.IndexFunc(all, func(other corev1.NamespaceCondition) bool { return other.Type == c.Type })
	if i < 0 {
		return append(all, c)
	}
	if all[i].Status == c.Status {
		c.LastTransitionTime = all[i].LastTransitionTime
	}
	all[i] = c
	return all
}
