package resource

import (
	"context"
	"errors"
	"fmt"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/component-helpers/apps/poddisruptionbudget"

	"leme/server/kind"
)

// maxDisrupted bounds how many evictions may wait for the disruption controller to see them.
const maxDisrupted = 2000

// busyWait is how many seconds an eviction should wait for a budget that is being worked out.
const busyWait = 10

// spend takes one disruption from a budget. Whoever evicts at the same time takes another one, or is told that there
// is none left.
func (a *API) spend(ctx context.Context, pod Target, name string, dryRun bool) error {
	t := Target{Kind: kind.PodDisruptionBudget, Namespace: pod.Namespace, Name: name, User: pod.User}
	return again(t, func() error {
		it, err := a.current(ctx, t)
		if err != nil {
			return err
		}
		if it == nil {
			return apierrors.NewNotFound(t.resource(), name)
		}
		budget, err := typed[*policyv1.PodDisruptionBudget](it, nil)
		if err != nil {
			return err
		}
		budget = budget.DeepCopy()
		if err := disrupt(budget, pod.Name, time.Now()); err != nil {
			return err
		}
		_, err = a.mark(ctx, t, it, budget, dryRun)
		return err
	})
}

// disrupt takes a pod from what a budget allows, or says why it may not go.
func disrupt(b *policyv1.PodDisruptionBudget, pod string, now time.Time) error {
	s := &b.Status
	switch {
	case s.ObservedGeneration < b.Generation:
		return busyBudget(b.Name)
	case s.DisruptionsAllowed < 0:
		return brokenBudget(b.Name, "pdb disruptions allowed is negative", "pdb disruptions allowed is negative")
	case len(s.DisruptedPods) > maxDisrupted:
		return brokenBudget(b.Name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
			"too many pending evictions not confirmed by PDB controller")
	case s.DisruptionsAllowed == 0:
		return tooMany(0, spentBudget(b))
	}
	s.DisruptionsAllowed--
	if s.DisruptionsAllowed == 0 {
		poddisruptionbudget.UpdateDisruptionAllowedCondition(b)
	}
	if s.DisruptedPods == nil {
		s.DisruptedPods = map[string]metav1.Time{}
	}
	s.DisruptedPods[pod] = metav1.NewTime(now).Rfc3339Copy()
	return nil
}

// spentBudget says why a budget allows nothing.
func spentBudget(b *policyv1.PodDisruptionBudget) string {
	c := meta.FindStatusCondition(b.Status.Conditions, policyv1.DisruptionAllowedCondition)
	says := c != nil && c.Status == metav1.ConditionFalse && c.Message != ""
	none := fmt.Sprintf("The disruption budget %s does not allow evicting pods currently", b.Name)
	switch {
	case says && c.Reason == policyv1.SyncFailedReason:
		return fmt.Sprintf("%s because it failed sync: %s", none, c.Message)
	case b.Status.CurrentHealthy <= b.Status.DesiredHealthy:
		return fmt.Sprintf("The disruption budget %s needs %d healthy pods and has %d currently", b.Name, b.Status.DesiredHealthy, b.Status.CurrentHealthy)
	case says:
		return fmt.Sprintf("%s (%s): %s", none, c.Reason, c.Message)
	}
	return none
}

// busyBudget is for a budget that nobody has worked out yet: it is worth trying again.
func busyBudget(name string) error {
	return tooMany(busyWait, fmt.Sprintf("The disruption budget %s is still being processed by the server.", name))
}

func tooMany(seconds int, cause string) error {
	err := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", seconds)
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: cause})
	return err
}

func brokenBudget(name, reason, cause string) error {
	err := apierrors.NewForbidden(schema.GroupResource{Group: policyv1.GroupName, Resource: "poddisruptionbudget"}, name, errors.New(reason))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{
		Type:    policyv1.DisruptionBudgetCause,
		Message: fmt.Sprintf("The disruption budget %s does not allow evicting pods currently: %s", name, cause),
	})
	return err
}
