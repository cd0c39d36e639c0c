package resource

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/store"
)

// evict deletes a pod with the options of an eviction, if its disruption budget allows that. The result is the pod.
func (a *API) evict(ctx context.Context, t Target, obj runtime.Object, o metav1.CreateOptions) (*store.Item, error) {
	eviction, ok := obj.(*policyv1.Eviction)
	if !ok || t.resource() != kind.Pod.GroupResource() {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("expected an Eviction of a pod, not a %T", obj))
	}
	options, err := evictionOptions(t, eviction, o)
	if err != nil {
		return nil, err
	}
	t.Subresource = ""
	insists := options.Preconditions != nil && options.Preconditions.ResourceVersion != nil
	for range writeAttempts {
		var it *store.Item
		it, err = a.evictOnce(ctx, t, options)
		if !apierrors.IsConflict(err) || insists {
			return it, err
		}
	}
	return nil, err
}

// evictionOptions are those of the deletion that an eviction asks for.
func evictionOptions(t Target, eviction *policyv1.Eviction, o metav1.CreateOptions) (options metav1.DeleteOptions, err error) {
	if eviction.Name != "" && eviction.Name != t.Name {
		return options, apierrors.NewBadRequest("name in URL does not match name in Eviction object")
	}
	if eviction.DeleteOptions != nil {
		options = *eviction.DeleteOptions
	}
	if ptr.Deref(options.IgnoreStoreReadErrorWithClusterBreakingPotential, false) {
		at := field.NewPath("deleteOptions", "ignoreStoreReadErrorWithClusterBreakingPotential")
		return options, apierrors.NewInvalid(policyv1.SchemeGroupVersion.WithKind("Eviction").GroupKind(), t.Name, field.ErrorList{
			field.Invalid(at, true, "can not be set for pod eviction, try after removing the option")})
	}
	switch {
	case len(options.DryRun) == 0:
		options.DryRun = o.DryRun
	case len(o.DryRun) > 0 && !slices.Equal(o.DryRun, options.DryRun):
		return options, apierrors.NewBadRequest(fmt.Sprintf("Non-matching dry-run options in request and content: %v and %v", o.DryRun, options.DryRun))
	}
	return options, nil
}

// evictOnce looks at the pod, at its budget, and deletes it: the pod as it was seen, where the budget was not asked.
func (a *API) evictOnce(ctx context.Context, t Target, o metav1.DeleteOptions) (*store.Item, error) {
	it, err := a.deletable(ctx, t, o.Preconditions)
	if err != nil {
		return nil, err
	}
	pod, err := typed[*corev1.Pod](it, nil)
	if err != nil {
		return nil, err
	}
	budget := ""
	asSeen := pod.Status.Phase == corev1.PodPending && pod.DeletionTimestamp == nil
	if guarded(pod) {
		if budget, asSeen, err = a.mayDisrupt(ctx, t, pod, len(o.DryRun) > 0); err != nil {
			return nil, err
		}
	}
	it, err = a.deleteEvicted(ctx, t, it, o, asSeen)
	if apierrors.IsConflict(err) && asSeen && budget != "" {
		return nil, busyBudget(budget)
	}
	return it, err
}

// guarded tells whether budgets are about a pod: it runs, and nobody has deleted it yet.
func guarded(pod *corev1.Pod) bool {
	switch pod.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed, corev1.PodPending:
		return false
	}
	return pod.DeletionTimestamp == nil
}

// mayDisrupt asks a pod's budget, and takes the pod from what it allows. asSeen: it need not be asked, as long as the
// pod is what it was.
func (a *API) mayDisrupt(ctx context.Context, t Target, pod *corev1.Pod, dryRun bool) (budget string, asSeen bool, err error) {
	budgets := a.budgetsOf(pod)
	switch {
	case len(budgets) == 0:
		return "", false, nil
	case len(budgets) > 1:
		return "", false, &apierrors.StatusError{ErrStatus: metav1.Status{
			Status: metav1.StatusFailure, Code: http.StatusInternalServerError,
			Message: "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
		}}
	}
	b := budgets[0]
	if !ready(pod) && unhealthyMayGo(b) {
		return b.Name, true, nil
	}
	return b.Name, false, a.spend(ctx, t, b.Name, dryRun)
}

// unhealthyMayGo tells whether pods that do not work are not protected: always, or while there are enough others.
func unhealthyMayGo(b *policyv1.PodDisruptionBudget) bool {
	if ptr.Deref(b.Spec.UnhealthyPodEvictionPolicy, policyv1.IfHealthyBudget) == policyv1.AlwaysAllow {
		return true
	}
	return b.Status.DesiredHealthy > 0 && b.Status.CurrentHealthy >= b.Status.DesiredHealthy
}

func ready(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func (a *API) budgetsOf(pod *corev1.Pod) (budgets []*policyv1.PodDisruptionBudget) {
	a.store.Snapshot(kind.PodDisruptionBudget.GroupResource()).Ascend(pod.Namespace, "", "", func(it *store.Item) bool {
		b, err := typed[*policyv1.PodDisruptionBudget](it, nil)
		if err != nil {
			return true
		}
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err == nil && selector.Matches(labels.Set(pod.Labels)) {
			budgets = append(budgets, b)
		}
		return true
	})
	return budgets
}

// deleteEvicted says in a pod's conditions that it is evicted, then deletes it. Unless it must be what it was, it may
// have changed meanwhile.
func (a *API) deleteEvicted(ctx context.Context, t Target, it *store.Item, o metav1.DeleteOptions, asSeen bool) (*store.Item, error) {
	p := ptr.Deref(o.Preconditions, metav1.Preconditions{})
	asSeen = asSeen || p.ResourceVersion != nil
	mark := func() (err error) {
		if !asSeen {
			if it, err = a.deletable(ctx, t, o.Preconditions); err != nil {
				return err
			}
		}
		it, err = a.markEvicted(ctx, t, it)
		return err
	}
	switch {
	case len(o.DryRun) > 0:
	case asSeen:
		if err := mark(); err != nil {
			return nil, asStatus(t, err)
		}
	default:
		if err := again(t, mark); err != nil {
			return nil, err
		}
	}
	if asSeen {
		p.ResourceVersion = ptr.To(formatRevision(it.Revision))
	}
	o.Preconditions = &p
	it, _, err := a.Delete(ctx, t, o)
	return it, err
}

func (a *API) markEvicted(ctx context.Context, t Target, it *store.Item) (*store.Item, error) {
	pod, err := typed[*corev1.Pod](it, nil)
	if err != nil {
		return nil, err
	}
	marked := pod.DeepCopy()
	kind.SetPodCondition(marked, corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI", Message: "Eviction API: evicting",
	})
	return a.mark(ctx, t, it, marked, false)
}
