package controller

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// deployments rolls each Deployment's template out over ReplicaSets.
type deployments struct {
	deployments resource.Typed[*appsv1.Deployment]
	sets        resource.Typed[*appsv1.ReplicaSet]
	pods        resource.Typed[*corev1.Pod]
	events      *event.Source
	now         func() time.Time
}

func newDeployments(e *environment) component {
	const user = "system:controller:deployment"
	c := &deployments{
		deployments: resource.For[*appsv1.Deployment](e.api, kind.Deployment, user),
		sets:        resource.For[*appsv1.ReplicaSet](e.api, kind.ReplicaSet, user),
		pods:        resource.For[*corev1.Pod](e.api, kind.Pod, user),
		events:      e.events.From("deployment-controller"),
		now:         e.now,
	}
	return &loop[objectKey]{
		name:    "deployment",
		workers: 8,
		sources: []source[objectKey]{
			{of(e.api, kind.Deployment), itself},
			{of(e.api, kind.ReplicaSet), c.ofSet},
			{of(e.api, kind.Pod), c.ofEndedPod},
		},
		reconcile: c.reconcile,
	}
}

// ofSet gives the Deployment that controls a ReplicaSet, or did, or may want to adopt it.
func (c *deployments) ofSet(e store.Event, add func(objectKey)) {
	for _, item := range []*store.Item{e.Prev, e.Item} {
		rs, ok := decoded[*appsv1.ReplicaSet](item)
		if !ok {
			continue
		}
		if owner := metav1.GetControllerOfNoCopy(rs); owner != nil {
			if owner.Kind == kind.Deployment.Kind {
				add(objectKey{Namespace: rs.Namespace, Name: owner.Name})
			}
			continue
		}
		for _, d := range c.deployments.List(rs.Namespace, func(d *appsv1.Deployment) bool { return selects(d.Spec.Selector, rs) }) {
			add(objectKey{Namespace: d.Namespace, Name: d.Name})
		}
	}
}

// ofEndedPod gives the Deployment that may wait for a pod to end before it starts new ones.
func (c *deployments) ofEndedPod(e store.Event, add func(objectKey)) {
	pod, ok := decoded[*corev1.Pod](e.Item)
	if !ok || e.Type != watch.Deleted && !podFinished(pod) {
		return
	}
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || owner.Kind != kind.ReplicaSet.Kind {
		return
	}
	rs, ok := c.sets.Get(pod.Namespace, owner.Name)
	if !ok {
		return
	}
	if owner := metav1.GetControllerOfNoCopy(rs); owner != nil {
		add(objectKey{Namespace: pod.Namespace, Name: owner.Name})
	}
}

func (c *deployments) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	d, ok := c.deployments.Get(key.Namespace, key.Name)
	if !ok {
		return 0, nil
	}
	selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	if err != nil || selector.Empty() {
		return 0, nil // the API admits no such Deployment
	}
	claims := claim(d, selector, c.sets.List(d.Namespace, mayClaim[*appsv1.ReplicaSet](d)))
	owned, err := claims.apply(ctx, c.sets, d, kind.Deployment.GroupVersionKind)
	if err != nil {
		return 0, err
	}
	plan, err := planDeployment(d, owned, c.oldPods(d, owned), c.now())
	if err != nil {
		return 0, err
	}
	return plan.again, c.apply(ctx, d, plan)
}

// oldPods counts the pods of other templates that have not ended; only Recreate asks.
func (c *deployments) oldPods(d *appsv1.Deployment, owned []*appsv1.ReplicaSet) int {
	if d.Spec.Strategy.Type != appsv1.RecreateDeploymentStrategyType {
		return 0
	}
	fresh := findNew(d, owned)
	old := make(map[types.UID]bool, len(owned))
	for _, rs := range owned {
		old[rs.UID] = rs != fresh
	}
	return len(c.pods.List(d.Namespace, func(p *corev1.Pod) bool {
		owner := metav1.GetControllerOfNoCopy(p)
		return owner != nil && old[owner.UID] && !podFinished(p)
	}))
}

// apply takes the step and reports it. Whatever fails, the status tells what is there.
func (c *deployments) apply(ctx context.Context, d *appsv1.Deployment, plan deploymentPlan) error {
	err := c.takeStep(ctx, d, &plan)
	if plan.revision != 0 && err == nil {
		err = c.annotate(ctx, d, plan.revision)
	}
	failed := setStatus(ctx, c.deployments, d, func(o *appsv1.Deployment) { o.Status = plan.status })
	return errors.Join(err, failed)
}

func (c *deployments) takeStep(ctx context.Context, d *appsv1.Deployment, plan *deploymentPlan) error {
	if plan.create != nil {
		if err := c.create(ctx, d, plan); err != nil {
			return err
		}
	}
	for _, u := range plan.update {
		if err := c.update(ctx, d, u); err != nil {
			return fmt.Errorf("scaling %s: %w", u.set.Name, err)
		}
	}
	for _, rs := range plan.remove {
		if err := removeSeen(ctx, c.sets, rs, metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("deleting the old %s: %w", rs.Name, err)
		}
	}
	return nil
}

// create makes the new ReplicaSet. Where its name is another template's, the next try hashes differently.
func (c *deployments) create(ctx context.Context, d *appsv1.Deployment, plan *deploymentPlan) error {
	rs, err := c.sets.Create(ctx, plan.create)
	switch {
	case apierrors.IsAlreadyExists(err):
		plan.status.CollisionCount = ptr.To(ptr.Deref(d.Status.CollisionCount, 0) + 1)
		plan.status.Conditions = d.Status.Conditions
		return fmt.Errorf("replica set %s is of another template: %w", plan.create.Name, err)
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil
	case err != nil:
		message := fmt.Sprintf("Failed to create new replica set %q: %v", plan.create.Name, err)
		plan.status.Conditions = notCreated(d, message, c.now())
		c.events.Warning(d, reasonNotCreated, "%s", message)
		return fmt.Errorf("creating %s: %w", plan.create.Name, err)
	}
	if size(rs) > 0 {
		c.scaled(d, rs.Name, 0, size(rs))
	}
	return nil
}

func (c *deployments) update(ctx context.Context, d *appsv1.Deployment, u replicaSetUpdate) error {
	_, err := c.sets.Update(ctx, u.set.Namespace, u.set.Name, func(rs *appsv1.ReplicaSet) error {
		rs.Spec.Replicas, rs.Spec.MinReadySeconds, rs.Annotations = ptr.To(u.replicas), u.minReady, u.annotations
		return nil
	})
	if err == nil && size(u.set) != u.replicas {
		c.scaled(d, u.set.Name, size(u.set), u.replicas)
	}
	return ignoreGone(err)
}

func (c *deployments) scaled(d *appsv1.Deployment, name string, from, to int32) {
	direction := "up"
	if to < from {
		direction = "down"
	}
	c.events.Normal(d, "ScalingReplicaSet", "Scaled %s replica set %s from %d to %d", direction, name, from, to)
}

// annotate writes the Deployment's revision, which rollout history shows.
func (c *deployments) annotate(ctx context.Context, d *appsv1.Deployment, revision int64) error {
	text := strconv.FormatInt(revision, 10)
	if d.Annotations[revisionAnnotation] == text {
		return nil
	}
	_, err := c.deployments.Update(ctx, d.Namespace, d.Name, func(o *appsv1.Deployment) error {
		metav1.SetMetaDataAnnotation(&o.ObjectMeta, revisionAnnotation, text)
		return nil
	})
	return ignoreGone(err)
}
