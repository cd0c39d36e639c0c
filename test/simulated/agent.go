package simulated

import (
	"context"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
)

// agent is one node's.
type agent struct {
	fleet *Fleet
	index int
	name  string

	// Of the one worker that has the node's key:
	lease *coordinationv1.Lease // as last seen
	begun bool                  // it has registered once, and follows the API

	mu   sync.Mutex
	node *corev1.Node // as the API has it; nil: it is to be registered
	pods map[types.UID]*pod
	seen map[types.UID]bool // while everything there is is being told
	came int                // pods that have come so far
}

// follow keeps what the agent knows equal to what the API has, until the context ends.
func (a *agent) follow(ctx context.Context) {
	var both sync.WaitGroup
	nodes, pods := a.fleet.client.CoreV1().Nodes(), a.fleet.client.CoreV1().Pods(metav1.NamespaceAll)
	both.Go(func() {
		follower{selecting("metadata.name="+a.name, nodes.Watch), func() {}, a.nodeChanged, func() {}}.run(ctx)
	})
	both.Go(func() {
		follower{selecting("spec.nodeName="+a.name, pods.Watch), a.restart, a.podChanged, a.synced}.run(ctx)
	})
	both.Wait()
}

type watcher func(context.Context, metav1.ListOptions) (watch.Interface, error)

func selecting(fields string, next watcher) watcher {
	return func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		o.FieldSelector = fields
		return next(ctx, o)
	}
}

func (a *agent) nodeChanged(t watch.EventType, object runtime.Object) {
	node, _ := object.(*corev1.Node)
	if t == watch.Deleted {
		node = nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.node = node; node == nil {
		a.fleet.queue.Add(a.key("")) // it registers again
	}
}

func (a *agent) podChanged(t watch.EventType, object runtime.Object) {
	changed, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen != nil {
		a.seen[changed.UID] = true
	}
	if t == watch.Deleted {
		a.forget(changed.UID)
		return
	}
	a.take(changed)
	a.fleet.queue.Add(a.key(changed.UID))
}

// take learns of a pod's state; an older one than is known teaches nothing. a.mu is held.
func (a *agent) take(object *corev1.Pod) {
	p := a.pods[object.UID]
	if p == nil {
		a.came++
		p = &pod{course: a.fleet.config.Life.of(a.fleet.config.Seed, object), since: time.Now(), ip: podIP(a.index, a.came)}
		if object.Status.StartTime != nil {
			p.since = object.Status.StartTime.Time
		}
		a.pods[object.UID] = p
	} else if order, err := resourceversion.CompareResourceVersion(object.ResourceVersion, p.object.ResourceVersion); err == nil && order < 0 {
		return
	}
	a.fleet.count(p.object, object)
	p.object = object
	if object.DeletionTimestamp != nil && p.ending.IsZero() {
		p.ending = time.Now()
	}
}

// forget drops a pod that is gone. a.mu is held.
func (a *agent) forget(uid types.UID) {
	if p := a.pods[uid]; p != nil {
		a.fleet.count(p.object, nil)
		delete(a.pods, uid)
	}
}

func (a *agent) restart() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = map[types.UID]bool{}
}

// synced drops the pods that went while nobody told.
func (a *agent) synced() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for uid := range a.pods {
		if a.seen != nil && !a.seen[uid] {
			a.forget(uid)
		}
	}
	a.seen = nil
}

// work brings one pod a step on, and says when to look again; 0: when something changes.
func (a *agent) work(ctx context.Context, uid types.UID) (time.Duration, error) {
	now := time.Now()
	a.mu.Lock()
	p := a.pods[uid]
	if p == nil {
		a.mu.Unlock()
		return 0, nil
	}
	object, s := p.object, p.at(now)
	status := p.status(s, hostIP(a.index), now)
	a.mu.Unlock()

	pods := a.fleet.client.CoreV1().Pods(object.Namespace)
	if !equality.Semantic.DeepEqual(status, object.Status) {
		patch, err := statusPatch(object, status)
		if err != nil {
			return 0, err
		}
		updated, err := pods.Patch(ctx, object.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
		if err != nil {
			return 0, ifThere(err, "reporting a pod's status")
		}
		a.mu.Lock()
		if a.pods[uid] != nil {
			a.take(updated)
		}
		a.mu.Unlock()
	}
	if object.DeletionTimestamp != nil && finished(s.phase) {
		err := pods.Delete(ctx, object.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0), Preconditions: &metav1.Preconditions{UID: &object.UID}})
		return 0, ifThere(err, "deleting a pod")
	}
	return s.next, nil
}

// ifThere is an error about a pod that is still there; if it is not, the watch tells.
func ifThere(err error, doing string) error {
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func (a *agent) key(uid types.UID) key { return key{a.index, uid} }
