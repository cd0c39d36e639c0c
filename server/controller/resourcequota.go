package controller

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/quota"
	"leme/server/resource"
	"leme/server/store"
)

const quotaUser = "system:controller:resourcequota-controller"

// quotaResync is how often a quota is counted anew though nothing was seen to change.
const quotaResync = 5 * time.Minute

// resourceQuotas count what is used of each quota: at first, when its limits change, and when something that it
// limits ends. What is made is counted by the write that makes it.
type resourceQuotas struct {
	api    *resource.API
	quotas resource.Typed[*corev1.ResourceQuota]
	now    func() time.Time
}

func newResourceQuotas(e *environment) component {
	c := &resourceQuotas{api: e.api, quotas: resource.For[*corev1.ResourceQuota](e.api, kind.ResourceQuota, quotaUser), now: e.now}
	return &loop[objectKey]{
		name:    "resourcequota",
		workers: 5,
		sources: []source[objectKey]{
			{of(e.api, kind.ResourceQuota), uncountedQuota},
			{everything(e.api, func(k *kind.Kind) bool { return k.Namespaced && k != kind.Pod }), c.ofDeleted},
			{of(e.api, kind.Pod), c.ofPod},
		},
		reconcile: c.reconcile,
	}
}

// uncountedQuota gives a quota that is new or limits something else than it did.
func uncountedQuota(e store.Event, add func(objectKey)) {
	q, ok := decoded[*corev1.ResourceQuota](e.Item)
	if !ok || e.Type == watch.Deleted {
		return
	}
	before, had := decoded[*corev1.ResourceQuota](e.Prev)
	if !had || !equality.Semantic.DeepEqual(q.Spec, before.Spec) || !quota.Equal(q.Spec.Hard, q.Status.Hard) {
		itself(e, add)
	}
}

// ofDeleted gives the quotas of the namespace that an object has left.
func (c *resourceQuotas) ofDeleted(e store.Event, add func(objectKey)) {
	if e.Type == watch.Deleted {
		c.in(e.Item.Key.Namespace, add)
	}
}

// ofPod gives the quotas of a pod that is gone, or that uses nothing any more.
func (c *resourceQuotas) ofPod(e store.Event, add func(objectKey)) {
	if e.Type == watch.Deleted {
		c.in(e.Item.Key.Namespace, add)
		return
	}
	if e.Type != watch.Modified || !c.any(e.Item.Key.Namespace) {
		return
	}
	pod, ok := decoded[*corev1.Pod](e.Item)
	before, had := decoded[*corev1.Pod](e.Prev)
	if ok && had && podFinished(pod) && !podFinished(before) {
		c.in(pod.Namespace, add)
	}
}

func (c *resourceQuotas) snapshot() *store.Snapshot {
	return c.api.Store().Snapshot(kind.ResourceQuota.GroupResource())
}

func (c *resourceQuotas) in(namespace string, add func(objectKey)) {
	c.snapshot().Ascend(namespace, "", "", func(it *store.Item) bool {
		add(objectKey{Namespace: it.Key.Namespace, Name: it.Key.Name})
		return true
	})
}

func (c *resourceQuotas) any(namespace string) (found bool) {
	c.in(namespace, func(objectKey) { found = true })
	return found
}

// reconcile counts inside of the update: a quota that is charged meanwhile has another revision, and is counted again.
func (c *resourceQuotas) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	_, err := c.quotas.UpdateStatus(ctx, key.Namespace, key.Name, func(q *corev1.ResourceQuota) error {
		used := quota.Total(q, c.objects(key.Namespace), c.now())
		if q.Status.Used == nil || !quota.Equal(used, q.Status.Used) || !quota.Equal(q.Spec.Hard, q.Status.Hard) {
			q.Status = corev1.ResourceQuotaStatus{Hard: q.Spec.Hard.DeepCopy(), Used: used}
		}
		return nil
	})
	return quotaResync, ignoreGone(err)
}

// objects lists a namespace's objects of a resource.
func (c *resourceQuotas) objects(namespace string) func(schema.GroupResource, func(runtime.Object)) bool {
	return func(gr schema.GroupResource, fn func(runtime.Object)) bool {
		served := slices.ContainsFunc(c.api.Kinds().Stored(), func(k *kind.Kind) bool { return k.Namespaced && k.GroupResource() == gr })
		if !served {
			return false
		}
		c.api.Store().Snapshot(gr).Ascend(namespace, "", "", func(it *store.Item) bool {
			if obj, err := it.Object(); err == nil {
				fn(obj)
			}
			return true
		})
		return true
	}
}
