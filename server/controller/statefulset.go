package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
)

// statefulSets keeps each StatefulSet's pods, every one with its name and its volumes.
type statefulSets struct {
	sets      resource.Typed[*appsv1.StatefulSet]
	pods      resource.Typed[*corev1.Pod]
	claims    resource.Typed[*corev1.PersistentVolumeClaim]
	revisions resource.Typed[*appsv1.ControllerRevision]
	events    *event.Source
	now       func() time.Time
}

// revisionHash is the label under which a StatefulSet's revision tells its hash.
const revisionHash = "controller.kubernetes.io/hash"

func newStatefulSets(e *environment) component {
	const user = "system:controller:statefulset-controller"
	c := &statefulSets{
		sets:      resource.For[*appsv1.StatefulSet](e.api, kind.StatefulSet, user),
		pods:      resource.For[*corev1.Pod](e.api, kind.Pod, user),
		claims:    resource.For[*corev1.PersistentVolumeClaim](e.api, kind.PersistentVolumeClaim, user),
		revisions: resource.For[*appsv1.ControllerRevision](e.api, kind.ControllerRevision, user),
		events:    e.events.From("statefulset-controller"),
		now:       e.now,
	}
	return &loop[objectKey]{
		name:    "statefulset",
		workers: 8,
		sources: []source[objectKey]{
			{of(e.api, kind.StatefulSet), itself},
			{of(e.api, kind.Pod), ofPods(kind.StatefulSet, c.sets, func(s *appsv1.StatefulSet, pod *corev1.Pod) bool {
				return memberOf(s, pod) && selects(s.Spec.Selector, pod)
			})},
		},
		reconcile: c.reconcile,
	}
}

func (c *statefulSets) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	set, ok := c.sets.Get(key.Namespace, key.Name)
	if !ok {
		return 0, nil
	}
	may := mayClaim[*corev1.Pod](set)
	owned, selector, err := claimPods(ctx, c.pods, set, kind.StatefulSet.GroupVersionKind, set.Spec.Selector, func(p *corev1.Pod) bool { return memberOf(set, p) && may(p) })
	if selector == nil || err != nil {
		return 0, err
	}
	history, err := record(ctx, c.revisions, revised{
		owner: set, gvk: kind.StatefulSet.GroupVersionKind, selector: selector, template: &set.Spec.Template,
		collisions: ptr.To(ptr.Deref(set.Status.CollisionCount, 0)), hashLabel: revisionHash,
	})
	if err != nil {
		return 0, err
	}
	current := history.named(set.Status.CurrentRevision)
	if current == nil {
		current = history.latest
	}
	plan := planStatefulSet(set, owned, current.Name, history.latest.Name, c.now())
	plan.status.CollisionCount = history.collisions
	failed := c.apply(ctx, set, owned, history, plan)
	err = setStatus(ctx, c.sets, set, func(o *appsv1.StatefulSet) { o.Status = plan.status })
	return plan.again, errors.Join(failed, err, c.forget(ctx, set, owned, history, plan))
}

// apply makes and removes pods; a pod's claims are there before it.
func (c *statefulSets) apply(ctx context.Context, set *appsv1.StatefulSet, owned []*corev1.Pod, history revisions, plan statefulSetPlan) error {
	if set.DeletionTimestamp != nil {
		return nil
	}
	_, err := slowStart(len(plan.create), func(i int) error { return c.create(ctx, set, history, plan.create[i]) })
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	errs := []error{err}
	for _, pod := range plan.claims {
		errs = append(errs, c.makeClaims(ctx, set, pod))
	}
	for _, pod := range plan.rename {
		_, err := c.pods.Update(ctx, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
			nameLabels(p)
			return nil
		})
		errs = append(errs, ignoreGone(err))
	}
	for _, pod := range owned {
		errs = append(errs, c.ownClaims(ctx, set, pod))
	}
	_, err = sideBySide(len(plan.remove), func(i int) error { return c.remove(ctx, set, plan.remove[i]) })
	return errors.Join(append(errs, err)...)
}

func (c *statefulSets) create(ctx context.Context, set *appsv1.StatefulSet, history revisions, planned statefulPod) error {
	template := &set.Spec.Template
	if rev := history.named(planned.revision); rev != history.latest {
		kept, err := templateOf(rev)
		if err != nil {
			return err
		}
		template = kept
	}
	pod := podOfSet(set, template, planned)
	err := c.makeClaims(ctx, set, pod)
	if err == nil {
		_, err = c.pods.Create(ctx, pod)
	}
	if err != nil {
		c.events.Warning(set, "FailedCreate", "create Pod %s in StatefulSet %s failed error: %v", pod.Name, set.Name, err)
		return fmt.Errorf("creating pod %s: %w", pod.Name, err)
	}
	c.events.Normal(set, "SuccessfulCreate", "create Pod %s in StatefulSet %s successful", pod.Name, set.Name)
	return nil
}

func (c *statefulSets) makeClaims(ctx context.Context, set *appsv1.StatefulSet, pod *corev1.Pod) error {
	for _, claim := range claimsOf(set, pod) {
		there, ok := c.claims.Get(claim.Namespace, claim.Name)
		if ok && there.DeletionTimestamp != nil {
			return fmt.Errorf("pvc %s is being deleted", claim.Name)
		}
		if ok {
			continue
		}
		if _, err := c.claims.Create(ctx, claim); err != nil && !apierrors.IsAlreadyExists(err) {
			c.events.Warning(set, "FailedCreate", "create Claim %s for Pod %s in StatefulSet %s failed error: %v", claim.Name, pod.Name, set.Name, err)
			return fmt.Errorf("creating claim %s: %w", claim.Name, err)
		}
		c.events.Normal(set, "SuccessfulCreate", "create Claim %s Pod %s in StatefulSet %s success", claim.Name, pod.Name, set.Name)
	}
	return nil
}

// ownClaims gives a pod's claims the owners with whom they are to go.
func (c *statefulSets) ownClaims(ctx context.Context, set *appsv1.StatefulSet, pod *corev1.Pod) error {
	for _, wanted := range claimsOf(set, pod) {
		claim, ok := c.claims.Get(wanted.Namespace, wanted.Name)
		if !ok || equality.Semantic.DeepEqual(claimOwners(set, pod, claim), claim.OwnerReferences) {
			continue
		}
		_, err := c.claims.Update(ctx, claim.Namespace, claim.Name, func(o *corev1.PersistentVolumeClaim) error {
			o.OwnerReferences = claimOwners(set, pod, o)
			return nil
		})
		if err = ignoreGone(err); err != nil {
			return fmt.Errorf("changing the owners of claim %s: %w", claim.Name, err)
		}
	}
	return nil
}

func (c *statefulSets) remove(ctx context.Context, set *appsv1.StatefulSet, pod *corev1.Pod) error {
	if err := removeSeen(ctx, c.pods, pod, metav1.DeleteOptions{}); err != nil {
		c.events.Warning(set, "FailedDelete", "delete Pod %s in StatefulSet %s failed error: %v", pod.Name, set.Name, err)
		return fmt.Errorf("deleting pod %s: %w", pod.Name, err)
	}
	c.events.Normal(set, "SuccessfulDelete", "delete Pod %s in StatefulSet %s successful", pod.Name, set.Name)
	return nil
}

// forget removes the revisions that are too many.
func (c *statefulSets) forget(ctx context.Context, set *appsv1.StatefulSet, owned []*corev1.Pod, history revisions, plan statefulSetPlan) error {
	live := map[string]bool{plan.status.CurrentRevision: true, plan.status.UpdateRevision: true, set.Status.CurrentRevision: true}
	for _, pod := range owned {
		live[revisionOf(pod)] = true
	}
	return history.prune(ctx, c.revisions, set.Spec.RevisionHistoryLimit, live)
}
