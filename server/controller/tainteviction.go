package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/klog/v2"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// taintEviction deletes pods from nodes with a NoExecute taint that they do not tolerate, or not for long.
type taintEviction struct {
	pods   resource.Typed[*corev1.Pod]
	nodes  resource.Typed[*corev1.Node]
	events *event.Source
	now    func() time.Time

	mu      sync.Mutex
	waiting map[objectKey]waitingPod // those that a taint is about to drive away
}

// waitingPod is a pod that tolerates the taints of its node for some time.
type waitingPod struct {
	uid   types.UID
	since time.Time // of taints that do not tell their own
}

func newTaintEviction(e *environment) component {
	c := taintEvictionOf(e)
	return &loop[objectKey]{
		name:    "tainteviction",
		workers: 4,
		sources: []source[objectKey]{
			{of(e.api, kind.Node), c.ofNode},
			{of(e.api, kind.Pod), ofBoundPod},
		},
		reconcile: c.reconcile,
	}
}

func taintEvictionOf(e *environment) *taintEviction {
	const user = "system:controller:taint-eviction-controller"
	return &taintEviction{
		pods:    resource.For[*corev1.Pod](e.api, kind.Pod, user),
		nodes:   resource.For[*corev1.Node](e.api, kind.Node, user),
		events:  e.events.From("taint-eviction-controller"),
		now:     e.now,
		waiting: make(map[objectKey]waitingPod),
	}
}

// ofNode gives the pods of a node whose taints have changed in what drives pods away.
func (c *taintEviction) ofNode(e store.Event, add func(objectKey)) {
	node, ok := decoded[*corev1.Node](e.Item)
	if !ok || e.Type == watch.Deleted {
		return
	}
	var before []corev1.Taint
	if old, ok := decoded[*corev1.Node](e.Prev); ok {
		before = noExecute(old.Spec.Taints)
	}
	if equality.Semantic.DeepEqual(before, noExecute(node.Spec.Taints)) {
		return
	}
	c.pods.Pick("", func(g resource.Glance) bool {
		if g.Field("spec.nodeName") == node.Name {
			add(g.Key())
		}
		return false
	})
}

// ofBoundPod gives a pod that has come to its node, tolerates something else, or has gone.
func ofBoundPod(e store.Event, add func(objectKey)) {
	pod, ok := decoded[*corev1.Pod](e.Item)
	if !ok || pod.Spec.NodeName == "" {
		return
	}
	before, ok := decoded[*corev1.Pod](e.Prev)
	if ok && e.Type == watch.Modified && before.Spec.NodeName != "" && before.Generation == pod.Generation {
		return
	}
	itself(e, add)
}

func (c *taintEviction) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	pod, ok := c.pods.Get(key.Namespace, key.Name)
	if !ok || pod.DeletionTimestamp != nil || podFinished(pod) {
		c.forget(key)
		return 0, nil
	}
	node, ok := c.nodes.Get("", pod.Spec.NodeName)
	if !ok {
		c.forget(key)
		return 0, nil
	}
	now := c.now()
	at, ok := evictionTime(pod, noExecute(node.Spec.Taints), c.since(key, pod, now))
	switch {
	case !ok:
		if c.forget(key) {
			c.events.Normal(pod, "TaintManagerEviction", "Cancelling deletion of Pod %s", key)
		}
		return 0, nil
	case at.After(now):
		c.wait(key, pod, now)
		return at.Sub(now), nil
	}
	if err := c.evict(ctx, pod); err != nil {
		return 0, err
	}
	c.forget(key)
	return 0, nil
}

// since is when a pod was first seen under a taint that drives it away: now, unless it waits already.
func (c *taintEviction) since(key objectKey, pod *corev1.Pod, now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, ok := c.waiting[key]; ok && w.uid == pod.UID {
		return w.since
	}
	return now
}

func (c *taintEviction) wait(key objectKey, pod *corev1.Pod, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, ok := c.waiting[key]; !ok || w.uid != pod.UID {
		c.waiting[key] = waitingPod{pod.UID, now}
	}
}

// forget tells whether the pod was waiting.
func (c *taintEviction) forget(key objectKey) (waited bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, waited = c.waiting[key]
	delete(c.waiting, key)
	return waited
}

func (c *taintEviction) evict(ctx context.Context, pod *corev1.Pod) error {
	c.events.Normal(pod, "TaintManagerEviction", "Marking for deletion Pod %s/%s", pod.Namespace, pod.Name)
	_, failed := c.pods.UpdateStatus(ctx, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
		if p.UID != pod.UID {
			return nil
		}
		disrupt(p, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", c.now())
		return nil
	})
	err := errors.Join(ignoreGone(failed), removeSeen(ctx, c.pods, pod, metav1.DeleteOptions{}))
	if err != nil {
		return fmt.Errorf("evicting: %w", err)
	}
	return nil
}

func noExecute(taints []corev1.Taint) []corev1.Taint {
	var found []corev1.Taint
	for _, t := range taints {
		if t.Effect == corev1.TaintEffectNoExecute {
			found = append(found, t)
		}
	}
	return found
}

// evictionTime returns when the first of the taints drives a pod away; ok is false when none ever does. A taint counts
// from when it was set, where it tells that, but not from before the pod came; else from when it was first seen.
func evictionTime(pod *corev1.Pod, taints []corev1.Taint, seen time.Time) (at time.Time, ok bool) {
	for i := range taints {
		stay, forever := toleratedFor(pod.Spec.Tolerations, &taints[i])
		if forever {
			continue
		}
		since := seen
		if set := taints[i].TimeAdded; set != nil {
			since = later(set.Time, boundAt(pod))
		}
		if end := since.Add(stay); !ok || end.Before(at) {
			at, ok = end, true
		}
	}
	return at, ok
}

// boundAt is when a pod came to its node.
func boundAt(pod *corev1.Pod) time.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return pod.CreationTimestamp.Time
}

// toleratedFor returns how long a taint is tolerated: the shortest time of the tolerations that match.
func toleratedFor(tolerations []corev1.Toleration, taint *corev1.Taint) (stay time.Duration, forever bool) {
	forever, matched := true, false
	for i := range tolerations {
		if !tolerations[i].ToleratesTaint(klog.Background(), taint, true) {
			continue
		}
		matched = true
		if s := tolerations[i].TolerationSeconds; s != nil {
			if d := time.Duration(max(0, *s)) * time.Second; forever || d < stay {
				stay, forever = d, false
			}
		}
	}
	return stay, matched && forever
}
