package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// disruptionBudgets says in each PodDisruptionBudget's status how many pods may be evicted.
type disruptionBudgets struct {
	api     *resource.API
	budgets resource.Typed[*policyv1.PodDisruptionBudget]
	pods    resource.Typed[*corev1.Pod]
	events  *event.Source
	now     func() time.Time
}

func newDisruptionBudgets(e *environment) component {
	const user = "system:controller:disruption-controller"
	c := &disruptionBudgets{
		api:     e.api,
		budgets: resource.For[*policyv1.PodDisruptionBudget](e.api, kind.PodDisruptionBudget, user),
		pods:    resource.For[*corev1.Pod](e.api, kind.Pod, user),
		events:  e.events.From("controllermanager"),
		now:     e.now,
	}
	sources := []source[objectKey]{
		{of(e.api, kind.PodDisruptionBudget), itself},
		{of(e.api, kind.Pod), c.ofPod},
	}
	for _, k := range []*kind.Kind{kind.Deployment, kind.ReplicaSet, kind.StatefulSet, kind.ReplicationController} {
		sources = append(sources, source[objectKey]{of(e.api, k), c.ofScale(k)})
	}
	return &loop[objectKey]{name: "disruption", workers: 4, sources: sources, reconcile: c.reconcile}
}

// ofPod gives the budgets that are about a pod, or were.
func (c *disruptionBudgets) ofPod(e store.Event, add func(objectKey)) {
	pod, ok := decoded[*corev1.Pod](e.Item)
	before, had := decoded[*corev1.Pod](e.Prev)
	for _, b := range c.budgets.List(e.Item.Key.Namespace, nil) {
		selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
		if err == nil && (ok && selector.Matches(labels.Set(pod.Labels)) || had && selector.Matches(labels.Set(before.Labels))) {
			add(objectKey{Namespace: b.Namespace, Name: b.Name})
		}
	}
}

// ofScale gives the budgets of a namespace in which something wants another number of pods.
func (c *disruptionBudgets) ofScale(k *kind.Kind) func(store.Event, func(objectKey)) {
	return func(e store.Event, add func(objectKey)) {
		if e.Prev != nil && e.Item.Revision != e.Prev.Revision && c.replicas(k, e.Item) == c.replicas(k, e.Prev) {
			return
		}
		for _, b := range c.budgets.List(e.Item.Key.Namespace, nil) {
			add(objectKey{Namespace: b.Namespace, Name: b.Name})
		}
	}
}

func (c *disruptionBudgets) replicas(k *kind.Kind, it *store.Item) int32 {
	obj, err := it.Object()
	if err != nil {
		return 0
	}
	wanted, _, _ := k.Scale.Replicas(obj)
	return wanted
}

// reconcile works the status out inside of the update: an eviction that is allowed meanwhile is seen.
func (c *disruptionBudgets) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	if _, ok := c.budgets.Get(key.Namespace, key.Name); !ok {
		return 0, nil
	}
	var plan budgetPlan
	var changed *policyv1.PodDisruptionBudget
	_, err := c.budgets.UpdateStatus(ctx, key.Namespace, key.Name, func(b *policyv1.PodDisruptionBudget) error {
		plan = planBudget(b, c.podsOf(b), c.scale(b.Namespace), c.now())
		changed = nil
		if !equality.Semantic.DeepEqual(b.Status, plan.status) {
			b.Status, changed = plan.status, b
		}
		return nil
	})
	if err != nil {
		return 0, ignoreGone(err)
	}
	if changed != nil {
		for _, e := range plan.events {
			if e.eventType == corev1.EventTypeWarning {
				c.events.Warning(changed, e.reason, "%s", e.message)
			} else {
				c.events.Normal(changed, e.reason, "%s", e.message)
			}
		}
	}
	for _, pod := range plan.overdue {
		c.events.Warning(pod, "NotDeleted", "Pod was expected by PDB %s to be deleted but it wasn't", key)
	}
	return plan.again, nil
}

func (c *disruptionBudgets) podsOf(b *policyv1.PodDisruptionBudget) []*corev1.Pod {
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	if err != nil {
		return nil
	}
	return c.pods.List(b.Namespace, func(p *corev1.Pod) bool { return selector.Matches(labels.Set(p.Labels)) })
}

// scale reads what a pod's controller wants by its scale, whatever kind it is. What a Deployment wants counts, not what
// its ReplicaSets do.
func (c *disruptionBudgets) scale(namespace string) scaleOf {
	var find scaleOf
	find = func(ref *metav1.OwnerReference) (types.UID, int32, bool) {
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		if err != nil {
			return "", 0, false
		}
		k := c.api.Kinds().ByKind(gv.WithKind(ref.Kind))
		if k == nil || k.Scale == nil {
			return "", 0, false
		}
		it := c.api.Store().Snapshot(k.Storage().GroupResource()).Get(namespace, ref.Name)
		o, ok := decoded[object](it)
		if !ok || o.GetUID() != ref.UID {
			return "", 0, false
		}
		if owner := metav1.GetControllerOf(o); owner != nil && k == kind.ReplicaSet && owner.Kind == kind.Deployment.Kind {
			return find(owner)
		}
		wanted, _, _ := k.Scale.Replicas(o)
		return o.GetUID(), wanted, true
	}
	return find
}
