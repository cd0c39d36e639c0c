package resource

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/store"
)

// onePriorityDefault refuses a second class for the pods that name none.
func onePriorityDefault(_ context.Context, a *API, w admission) error {
	class, ok := w.object.(*schedulingv1.PriorityClass)
	if !ok || !class.GlobalDefault {
		return nil
	}
	if other := a.defaultPriorityClass(); other != nil && (w.old == nil || other.Name != class.Name) {
		return apierrors.NewForbidden(w.resource(), class.Name, fmt.Errorf(
			"PriorityClass %v is already marked as default. Only one default can exist", other.Name))
	}
	return nil
}

// defaultPriorityClass is the class of pods that name none, or nil: the lowest, should two have come at once.
func (a *API) defaultPriorityClass() (class *schedulingv1.PriorityClass) {
	a.store.Snapshot(kind.PriorityClass.GroupResource()).Ascend("", "", "", func(it *store.Item) bool {
		c, err := typed[*schedulingv1.PriorityClass](it, nil)
		if err == nil && c.GlobalDefault && (class == nil || c.Value < class.Value) {
			class = c
		}
		return true
	})
	return class
}

// priorityDefault computes a new pod's priority from its class, and keeps it afterwards.
func priorityDefault(ctx context.Context, a *API, w admission) error {
	pod := podOf(w.object)
	if pod == nil {
		return nil
	}
	if old := podOf(w.old); old != nil {
		if pod.Spec.Priority == nil {
			pod.Spec.Priority = old.Spec.Priority
		}
		if pod.Spec.PreemptionPolicy == nil {
			pod.Spec.PreemptionPolicy = old.Spec.PreemptionPolicy
		}
		return nil
	}
	class, err := a.priorityOf(ctx, w, pod)
	if err != nil {
		return err
	}
	pod.Spec.PriorityClassName = class.Name
	return setPriority(w, pod, class.Value, ptr.Deref(class.PreemptionPolicy, corev1.PreemptLowerPriority))
}

// priorityOf is a new pod's class: the one it names, the default, or where there is none one without name and worth.
func (a *API) priorityOf(ctx context.Context, w admission, pod *corev1.Pod) (*schedulingv1.PriorityClass, error) {
	if pod.Spec.PriorityClassName == "" {
		if class := a.defaultPriorityClass(); class != nil {
			return class, nil
		}
		return &schedulingv1.PriorityClass{}, nil
	}
	it, err := a.current(ctx, Target{Kind: kind.PriorityClass, Name: pod.Spec.PriorityClassName})
	switch {
	case err != nil:
		return nil, err
	case it == nil:
		return nil, apierrors.NewForbidden(w.resource(), pod.Name,
			fmt.Errorf("no PriorityClass with name %v was found", pod.Spec.PriorityClassName))
	}
	return typed[*schedulingv1.PriorityClass](it, nil)
}

// setPriority gives a pod what its class says, and refuses a pod that says something else.
func setPriority(w admission, pod *corev1.Pod, priority int32, policy corev1.PreemptionPolicy) error {
	if p := pod.Spec.Priority; p != nil && *p != priority {
		return apierrors.NewForbidden(w.resource(), pod.Name, fmt.Errorf(
			"the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name",
			*p, priority))
	}
	if p := pod.Spec.PreemptionPolicy; p != nil && *p != policy {
		return apierrors.NewForbidden(w.resource(), pod.Name, fmt.Errorf(
			"the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name",
			*p, policy))
	}
	pod.Spec.Priority, pod.Spec.PreemptionPolicy = &priority, &policy
	return nil
}
