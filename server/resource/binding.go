package resource

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/kind"
	"leme/server/store"
)

// bind puts a pod on a node, once. The result is the pod.
func (a *API) bind(ctx context.Context, t Target, obj runtime.Object, o metav1.CreateOptions) (it *store.Item, err error) {
	binding, ok := obj.(*corev1.Binding)
	if !ok || t.resource() != kind.Pod.GroupResource() {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("expected a Binding of a pod, not a %T", obj))
	}
	if binding.Name != "" && binding.Name != t.Name {
		return nil, apierrors.NewBadRequest("name in URL does not match name in Binding object")
	}
	if err := validateBinding(t, binding); err != nil {
		return nil, err
	}
	err = again(t, func() (err error) {
		it, err = a.bindTo(ctx, t, binding, len(o.DryRun) > 0)
		return err
	})
	return it, err
}

func validateBinding(t Target, b *corev1.Binding) error {
	target := field.NewPath("target")
	var errs field.ErrorList
	if b.Target.Kind != "" && b.Target.Kind != "Node" {
		errs = append(errs, field.NotSupported(target.Child("kind"), b.Target.Kind, []string{"Node", "<empty>"}))
	}
	if b.Target.Name == "" {
		errs = append(errs, field.Required(target.Child("name"), ""))
	}
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Binding").GroupKind(), t.Name, errs)
}

func (a *API) bindTo(ctx context.Context, t Target, b *corev1.Binding, dryRun bool) (*store.Item, error) {
	current, err := a.current(ctx, t)
	if err != nil {
		return nil, err
	}
	if current == nil {
		return nil, apierrors.NewNotFound(t.resource(), t.Name)
	}
	old, err := current.Object()
	if err != nil {
		return nil, err
	}
	if b.UID != "" && b.UID != metaOf(old).GetUID() {
		return nil, apierrors.NewConflict(t.resource(), t.Name, fmt.Errorf("the binding is for the pod with UID %s", b.UID))
	}
	pod := old.DeepCopyObject().(*corev1.Pod)
	pod.Spec.NodeName = b.Target.Name
	if len(b.Annotations) > 0 && pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	maps.Copy(pod.Annotations, b.Annotations)
	if err := checkBinding(t, pod, old.(*corev1.Pod)); err != nil {
		return nil, err
	}
	return a.mark(ctx, t, current, pod, dryRun)
}

// checkBinding sees to it that a pod gets a node once and for all, and says in its status that it has one.
func checkBinding(t Target, pod, old *corev1.Pod) error {
	var problem error
	switch {
	case old.DeletionTimestamp != nil:
		problem = fmt.Errorf("pod %s is being deleted, cannot be assigned to a host", old.Name)
	case old.Spec.NodeName != "":
		problem = fmt.Errorf("pod %v is already assigned to node %q", old.Name, old.Spec.NodeName)
	case len(old.Spec.SchedulingGates) > 0:
		problem = fmt.Errorf("pod %v has non-empty .spec.schedulingGates", old.Name)
	case pod.Spec.NodeName == "":
		return apierrors.NewBadRequest("a binding names a node")
	}
	if problem != nil {
		return apierrors.NewConflict(t.resource(), t.Name, problem)
	}
	pod.Status.NominatedNodeName = ""
	kind.SetPodCondition(pod, corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue})
	return nil
}
