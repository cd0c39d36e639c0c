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
	"k8s.io/client-go/util/flowcontrol"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// A pod that failed on a node is replaced after firstPatience, then after twice as long each time, up to lastPatience.
const (
	firstPatience = time.Second
	lastPatience  = 15 * time.Minute
)

// daemonSets keeps a pod of each DaemonSet on every node that should have one.
type daemonSets struct {
	sets      resource.Typed[*appsv1.DaemonSet]
	pods      resource.Typed[*corev1.Pod]
	nodes     resource.Typed[*corev1.Node]
	revisions resource.Typed[*appsv1.ControllerRevision]
	events    *event.Source
	failures  *flowcontrol.Backoff
	now       func() time.Time
}

func newDaemonSets(e *environment) component {
	const user = "system:controller:daemon-set-controller"
	c := &daemonSets{
		sets:      resource.For[*appsv1.DaemonSet](e.api, kind.DaemonSet, user),
		pods:      resource.For[*corev1.Pod](e.api, kind.Pod, user),
		nodes:     resource.For[*corev1.Node](e.api, kind.Node, user),
		revisions: resource.For[*appsv1.ControllerRevision](e.api, kind.ControllerRevision, user),
		events:    e.events.From("daemonset-controller"),
		failures:  flowcontrol.NewBackOff(firstPatience, lastPatience),
		now:       e.now,
	}
	return &loop[objectKey]{
		name:    "daemonset",
		workers: 4,
		sources: []source[objectKey]{
			{of(e.api, kind.DaemonSet), itself},
			{of(e.api, kind.Pod), ofPods(kind.DaemonSet, c.sets, func(ds *appsv1.DaemonSet, pod *corev1.Pod) bool { return selects(ds.Spec.Selector, pod) })},
			{of(e.api, kind.Node), c.ofNode},
		},
		reconcile: c.reconcile,
	}
}

// ofNode gives all DaemonSets when a node comes, goes, or changes in what they choose it by.
func (c *daemonSets) ofNode(e store.Event, add func(objectKey)) {
	node, ok := decoded[*corev1.Node](e.Item)
	before, had := decoded[*corev1.Node](e.Prev)
	if ok && had && e.Item != e.Prev && e.Item.Revision != e.Prev.Revision &&
		equality.Semantic.DeepEqual(node.Labels, before.Labels) && equality.Semantic.DeepEqual(node.Spec, before.Spec) && node.DeletionTimestamp == before.DeletionTimestamp {
		return
	}
	for _, ds := range c.sets.List("", nil) {
		add(objectKey{Namespace: ds.Namespace, Name: ds.Name})
	}
}

func (c *daemonSets) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	ds, ok := c.sets.Get(key.Namespace, key.Name)
	if !ok || ds.DeletionTimestamp != nil {
		return 0, nil
	}
	owned, selector, err := claimPods(ctx, c.pods, ds, kind.DaemonSet.GroupVersionKind, ds.Spec.Selector, mayClaim[*corev1.Pod](ds))
	if selector == nil || err != nil {
		return 0, err
	}
	history, err := record(ctx, c.revisions, revised{
		owner: ds, gvk: kind.DaemonSet.GroupVersionKind, selector: selector, template: &ds.Spec.Template,
		collisions: ds.Status.CollisionCount, hashLabel: appsv1.ControllerRevisionHashLabelKey,
	})
	if err != nil {
		return 0, err
	}
	hash := history.latest.Labels[appsv1.ControllerRevisionHashLabelKey]
	plan := planDaemonSet(ds, c.nodes.List("", nil), owned, hash, c.patience(ds), c.now())
	plan.status.CollisionCount = history.collisions
	failed := c.apply(ctx, ds, hash, plan)
	err = setStatus(ctx, c.sets, ds, func(o *appsv1.DaemonSet) { o.Status = plan.status })
	return plan.again, errors.Join(failed, err, c.forget(ctx, ds, owned, history))
}

func failureKey(ds *appsv1.DaemonSet, node string) string {
	return fmt.Sprintf("%s/%d/%s", ds.UID, ds.Generation, node)
}

func (c *daemonSets) patience(ds *appsv1.DaemonSet) func(string) time.Duration {
	return func(node string) time.Duration {
		key, now := failureKey(ds, node), c.now()
		if !c.failures.IsInBackOffSinceUpdate(key, now) {
			return 0
		}
		return c.failures.Get(key)
	}
}

func (c *daemonSets) apply(ctx context.Context, ds *appsv1.DaemonSet, hash string, plan daemonSetPlan) error {
	for _, node := range plan.failed {
		c.failures.Next(failureKey(ds, node), c.now())
	}
	c.failures.GC()
	for _, e := range plan.said() {
		if e.eventType == corev1.EventTypeWarning {
			c.events.Warning(ds, e.reason, "%s", e.message)
		} else {
			c.events.Normal(ds, e.reason, "%s", e.message)
		}
	}
	_, failed := slowStart(min(burst, len(plan.create)), func(i int) error {
		pod, err := c.pods.Create(ctx, podOfDaemon(ds, plan.create[i], hash))
		switch {
		case err == nil:
			c.events.Normal(ds, "SuccessfulCreate", "Created pod: %s", pod.Name)
		case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			return nil
		default:
			c.events.Warning(ds, "FailedCreate", "Error creating: %v", err)
		}
		return err
	})
	_, err := sideBySide(len(plan.remove), func(i int) error { return removePod(ctx, c.pods, c.events, ds, plan.remove[i]) })
	return errors.Join(failed, err)
}

// forget removes the revisions that are too many.
func (c *daemonSets) forget(ctx context.Context, ds *appsv1.DaemonSet, owned []*corev1.Pod, history revisions) error {
	hashes := map[string]bool{}
	for _, pod := range owned {
		hashes[revisionOf(pod)] = true
	}
	live := map[string]bool{}
	for _, rev := range history.all {
		live[rev.Name] = rev == history.latest || hashes[rev.Labels[appsv1.ControllerRevisionHashLabelKey]]
	}
	return history.prune(ctx, c.revisions, ds.Spec.RevisionHistoryLimit, live)
}
