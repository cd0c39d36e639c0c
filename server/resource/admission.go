package resource

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/tracing"
)

// admission is a write that asks to be let in. The object has its defaults already.
type admission struct {
	Target
	object runtime.Object
	old    runtime.Object // nil when the object is new
}

// admissionStep lets a write in, changes it, or refuses it with an API error.
type admissionStep func(ctx context.Context, a *API, w admission) error

// admissionSteps are taken in order by every create and update of an object itself, before it is validated.
var admissionSteps = []admissionStep{
	namespaceLives,
	limitDefaults,
	runAsAccount,
	priorityDefault,
	runtimeDefaults,
	tolerationDefaults,
	storageInUse,
	storageClassDefault,
	ingressClassDefault,
	requester,
}

// allocations give an object, once it is let in, what it needs of what there is only once. It is claimed when the object
// is written; until then others may be faster, and the write is computed anew.
var allocations = []admissionStep{
	serviceFamilies,
	serviceAddresses,
	serviceNodePorts,
}

// admissionChecks follow when the object is valid, and change nothing any more.
var admissionChecks = []admissionStep{
	limitBounds,
	securityLabels,
	podSecurity,
	onePriorityDefault,
	claimBounds,
	claimGrowth,
}

// admit takes a write of an object itself through a list of steps.
func (a *API) admit(ctx context.Context, w admission, steps []admissionStep) error {
	if w.Subresource != "" {
		return nil
	}
	ctx, span := tracing.Start(ctx, "admission")
	for _, step := range steps {
		if err := step(ctx, a, w); err != nil {
			tracing.End(span, err)
			return err
		}
	}
	span.End()
	return nil
}

// namespaceLives refuses new objects in a namespace that does not exist or is being deleted.
func namespaceLives(ctx context.Context, a *API, w admission) error {
	if w.old != nil || !w.Kind.Namespaced {
		return nil
	}
	namespaces := Target{Kind: kind.Namespace, Name: w.Namespace}
	it, err := a.current(ctx, namespaces)
	if err != nil {
		return err
	}
	if it == nil {
		return apierrors.NewNotFound(namespaces.resource(), w.Namespace)
	}
	obj, err := it.Object()
	if err != nil {
		return err
	}
	if ns := obj.(*corev1.Namespace); ns.Status.Phase == corev1.NamespaceTerminating || ns.DeletionTimestamp != nil {
		return terminating(w)
	}
	return nil
}

func terminating(w admission) error {
	err := apierrors.NewForbidden(w.resource(), metaOf(w.object).GetName(),
		fmt.Errorf("unable to create new content in namespace %s because it is being terminated", w.Namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type:    corev1.NamespaceTerminatingCause,
		Message: fmt.Sprintf("namespace %s is being terminated", w.Namespace),
		Field:   "metadata.namespace",
	})
	return err
}
