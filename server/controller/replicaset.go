package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
)

// replicaSets keeps as many pods as each ReplicaSet asks for, or each object that can be seen as one.
type replicaSets struct {
	kind   *kind.Kind
	sets   replicated
	pods   resource.Typed[*corev1.Pod]
	events *event.Source
	now    func() time.Time
}

// replicated is access to ReplicaSets, or to what is seen as ReplicaSets.
type replicated interface {
	Get(namespace, name string) (*appsv1.ReplicaSet, bool)
	List(namespace string, selector func(*appsv1.ReplicaSet) bool) []*appsv1.ReplicaSet
	UpdateStatus(ctx context.Context, namespace, name string, mutate func(*appsv1.ReplicaSet) error) (*appsv1.ReplicaSet, error)
}

func newReplicaSets(e *environment) component {
	const user = "system:controller:replicaset"
	return replicaSetsOf(e, kind.ReplicaSet, user, "replicaset-controller", resource.For[*appsv1.ReplicaSet](e.api, kind.ReplicaSet, user))
}

func replicaSetsOf(e *environment, k *kind.Kind, user, name string, sets replicated) component {
	c := &replicaSets{
		kind:   k,
		sets:   sets,
		pods:   resource.For[*corev1.Pod](e.api, kind.Pod, user),
		events: e.events.From(name),
		now:    e.now,
	}
	return &loop[objectKey]{
		name:    k.Singular,
		workers: 8,
		sources: []source[objectKey]{
			{of(e.api, k), itself},
			{of(e.api, kind.Pod), ofPods(k, c.sets, func(rs *appsv1.ReplicaSet, pod *corev1.Pod) bool { return selects(rs.Spec.Selector, pod) })},
		},
		reconcile: c.reconcile,
	}
}

func (c *replicaSets) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	rs, ok := c.sets.Get(key.Namespace, key.Name)
	if !ok {
		return 0, nil
	}
	owned, selector, err := claimPods(ctx, c.pods, rs, c.kind.GroupVersionKind, rs.Spec.Selector, mayClaim[*corev1.Pod](rs))
	if selector == nil || err != nil {
		return 0, err
	}
	plan := planReplicaSet(rs, owned, func() map[string]int { return crowds(c.related(rs)) }, c.now())
	failed := c.apply(ctx, rs, plan)
	status := plan.status
	status.Conditions = replicaFailure(status.Conditions, plan, failed, c.now())
	err = setStatus(ctx, c.sets, rs, func(o *appsv1.ReplicaSet) { o.Status = status })
	return plan.again, errors.Join(failed, err)
}

// related are the pods that do the same: the ReplicaSet's own, and those of the others of its Deployment.
func (c *replicaSets) related(rs *appsv1.ReplicaSet) []*corev1.Pod {
	sets := []*appsv1.ReplicaSet{rs}
	if owner := metav1.GetControllerOfNoCopy(rs); owner != nil {
		sets = c.sets.List(rs.Namespace, func(other *appsv1.ReplicaSet) bool {
			o := metav1.GetControllerOfNoCopy(other)
			return o != nil && o.UID == owner.UID
		})
	}
	return c.pods.List(rs.Namespace, func(p *corev1.Pod) bool {
		return slices.ContainsFunc(sets, func(rs *appsv1.ReplicaSet) bool { return selects(rs.Spec.Selector, p) })
	})
}

// apply creates and deletes. A namespace that is being deleted admits no pods: that is no failure to retry.
func (c *replicaSets) apply(ctx context.Context, rs *appsv1.ReplicaSet, plan replicaSetPlan) error {
	ref := *metav1.NewControllerRef(rs, c.kind.GroupVersionKind)
	created, err := slowStart(plan.create, func(int) error { return c.create(ctx, rs, ref) })
	if err != nil {
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return nil
		}
		return fmt.Errorf("created %d of %d pods: %w", created, plan.create, err)
	}
	_, err = sideBySide(len(plan.remove), func(i int) error { return removePod(ctx, c.pods, c.events, rs, plan.remove[i]) })
	return err
}

func (c *replicaSets) create(ctx context.Context, rs *appsv1.ReplicaSet, ref metav1.OwnerReference) error {
	pod, err := c.pods.Create(ctx, podFromTemplate(&rs.Spec.Template, rs.Namespace, rs.Name, ref))
	if err != nil {
		if !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			c.events.Warning(rs, "FailedCreate", "Error creating: %v", err)
		}
		return err
	}
	c.events.Normal(rs, "SuccessfulCreate", "Created pod: %s", pod.Name)
	return nil
}

// replicaFailure is the condition that tells why there are not as many pods as asked for.
func replicaFailure(conditions []appsv1.ReplicaSetCondition, plan replicaSetPlan, failed error, now time.Time) []appsv1.ReplicaSetCondition {
	var kept []appsv1.ReplicaSetCondition
	for _, c := range conditions {
		if c.Type != appsv1.ReplicaSetReplicaFailure {
			kept = append(kept, c)
		} else if failed != nil {
			return conditions
		}
	}
	if failed == nil {
		return kept
	}
	reason := "FailedCreate"
	if plan.create == 0 {
		reason = "FailedDelete"
	}
	return append(kept, appsv1.ReplicaSetCondition{
		Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue,
		Reason: reason, Message: saidBy(failed), LastTransitionTime: metav1.NewTime(now),
	})
}

// saidBy is what the API has said, without how the controller came to ask.
func saidBy(err error) string {
	var status *apierrors.StatusError
	if errors.As(err, &status) {
		return status.Error()
	}
	return err.Error()
}

// selects tells whether a label selector names an object; an invalid one names none.
func selects(s *metav1.LabelSelector, o metav1.Object) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	return err == nil && !selector.Empty() && selector.Matches(labels.Set(o.GetLabels()))
}
