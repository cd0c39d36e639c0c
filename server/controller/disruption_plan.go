package controller

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/component-helpers/apps/poddisruptionbudget"
)

// deletionTimeout is how long after its eviction a pod is believed to be about to go.
const deletionTimeout = 2 * time.Minute

// scaleOf tells how many pods the controller of a pod wants; ok is false for one that has no scale.
type scaleOf func(ref *metav1.OwnerReference) (uid types.UID, replicas int32, ok bool)

// budgetPlan is what becomes of a budget's status.
type budgetPlan struct {
	status  policyv1.PodDisruptionBudgetStatus
	events  []plannedEvent
	overdue []*corev1.Pod // were evicted long ago and are still there
	again   time.Duration
}

// planBudget works out how many of the pods that a budget is about may be evicted now. What cannot be worked out
// allows none.
func planBudget(b *policyv1.PodDisruptionBudget, pods []*corev1.Pod, scale scaleOf, now time.Time) budgetPlan {
	b = b.DeepCopy()
	var p budgetPlan
	if len(pods) == 0 {
		p.events = append(p.events, plannedEvent{corev1.EventTypeNormal, "NoPods", "No matching pods found"})
	}
	expected, desired, unmanaged, err := expectedPods(b, pods, scale)
	if err != nil {
		p.events = append(p.events, plannedEvent{corev1.EventTypeWarning, "CalculateExpectedPodCountFailed", fmt.Sprintf("Failed to calculate the number of expected pods: %v", err)})
		b.Status.DisruptionsAllowed = 0
		meta.SetStatusCondition(&b.Status.Conditions, metav1.Condition{
			Type: policyv1.DisruptionAllowedCondition, Status: metav1.ConditionFalse, Reason: policyv1.SyncFailedReason,
			Message: err.Error(), ObservedGeneration: b.Status.ObservedGeneration,
		})
		p.status = b.Status
		return p
	}
	if unmanaged {
		p.events = append(p.events, plannedEvent{corev1.EventTypeWarning, "UnmanagedPods", fmt.Sprintf(
			"Pods selected by this PodDisruptionBudget (selector: %v) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, "+
				"which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.", b.Spec.Selector)})
	}
	p.disrupted(b, pods, now)
	healthy := healthyPods(pods, b.Status.DisruptedPods)
	b.Status.CurrentHealthy, b.Status.DesiredHealthy, b.Status.ExpectedPods = healthy, desired, expected
	b.Status.DisruptionsAllowed = 0
	if expected > 0 {
		b.Status.DisruptionsAllowed = max(0, healthy-desired)
	}
	b.Status.ObservedGeneration = b.Generation
	poddisruptionbudget.UpdateDisruptionAllowedCondition(b)
	p.status = b.Status
	return p
}

// expectedPods are how many pods there should be, and how many of them must be healthy. Shares and missing pods are
// counted against what the pods' controllers want.
func expectedPods(b *policyv1.PodDisruptionBudget, pods []*corev1.Pod, scale scaleOf) (expected, desired int32, unmanaged bool, err error) {
	least, most := b.Spec.MinAvailable, b.Spec.MaxUnavailable
	switch {
	case most == nil && least == nil:
		return 0, 0, false, nil
	case most == nil && least.Type == intstr.Int:
		return int32(len(pods)), least.IntVal, false, nil
	}
	if expected, unmanaged, err = expectedScale(pods, scale); err != nil {
		return 0, 0, false, err
	}
	bound := most
	if most == nil {
		bound = least
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(bound, int(expected), true)
	if most != nil {
		n = max(0, int(expected)-n)
	}
	return expected, int32(n), unmanaged, err
}

func expectedScale(pods []*corev1.Pod, scale scaleOf) (expected int32, unmanaged bool, err error) {
	seen := map[types.UID]bool{}
	for _, pod := range pods {
		ref := metav1.GetControllerOf(pod)
		if ref == nil {
			unmanaged = true
			continue
		}
		if seen[ref.UID] {
			continue
		}
		seen[ref.UID] = true
		uid, replicas, ok := scale(ref)
		if !ok {
			return 0, false, fmt.Errorf("found no controllers for pod %q", pod.Name)
		}
		if uid == ref.UID || !seen[uid] { // several ReplicaSets may be one Deployment's
			expected += replicas
		}
		seen[uid] = true
	}
	return expected, unmanaged, nil
}

// disrupted keeps, of the pods that were evicted, those that are still about to be deleted.
func (p *budgetPlan) disrupted(b *policyv1.PodDisruptionBudget, pods []*corev1.Pod, now time.Time) {
	kept := map[string]metav1.Time{}
	for _, pod := range pods {
		at, evicted := b.Status.DisruptedPods[pod.Name]
		if !evicted || pod.DeletionTimestamp != nil {
			continue
		}
		left := at.Add(deletionTimeout).Sub(now)
		if left < 0 {
			p.overdue = append(p.overdue, pod)
			continue
		}
		kept[pod.Name] = at
		p.again = sooner(p.again, left+time.Second)
	}
	b.Status.DisruptedPods = nil
	if len(kept) > 0 {
		b.Status.DisruptedPods = kept
	}
}

func healthyPods(pods []*corev1.Pod, disrupted map[string]metav1.Time) (n int32) {
	for _, pod := range pods {
		_, leaves := disrupted[pod.Name]
		if _, ready := podReady(pod); ready && !leaves && pod.DeletionTimestamp == nil {
			n++
		}
	}
	return n
}
