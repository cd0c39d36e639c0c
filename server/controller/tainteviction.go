package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
}

func newTaintEviction(e *environment) component {
	const user = "system:controller:taint-eviction-controller"
	c := &taintEviction{
		pods:   resource.For[*corev1.Pod](e.api, kind.Pod, user),
		nodes:  resource.For[*corev1.Node](e.api, kind.Node, user),
		events: e.events.From("taint-eviction-controller"),
		now:    e.now,
	}
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

// ofNode gives the pods of a node that has taints which may drive them away.
func (c *taintEviction) ofNode(e store.Event, add func(objectKey)) {
	node, ok := decoded[*corev1.Node](e.Item)
	if !ok || e.Type == watch.Deleted || len(noExecute(node.Spec.Taints)) == 0 {
		return
	}
	for _, p := range c.pods.List("", func(p *corev1.Pod) bool { return p.Spec.NodeName == node.Name }) {
		add(objectKey{Namespace: p.Namespace, Name: p.Name})
	}
}

// ofBoundPod gives a pod that has just come to its node.
func ofBoundPod(e store.Event, add func(objectKey)) {
	pod, ok := decoded[*corev1.Pod](e.Item)
	if !ok || pod.Spec.NodeName == "" || e.Type == watch.Deleted {
		return
	}
	if before, ok := decoded[*corev1.Pod](e.Prev); ok && before.Spec.NodeName != "" && before.Generation == pod.Generation {
		return
	}
	itself(e, add)
}

func (c *taintEviction) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	pod, ok := c.pods.Get(key.Namespace, key.Name)
	if !ok || pod.DeletionTimestamp != nil || podFinished(pod) {
		return 0, nil
	}
	node, ok := c.nodes.Get("", pod.Spec.NodeName)
	if !ok {
		return 0, nil
	}
	now := c.now()
	at, ok := evictionTime(pod.Spec.Tolerations, noExecute(node.Spec.Taints), now)
	switch {
	case !ok:
		return 0, nil
	case at.After(now):
		return at.Sub(now), nil
	}
	return 0, c.evict(ctx, pod)
}

func (c *taintEviction) evict(ctx context.Context, pod *corev1.Pod) error {
	c.events.Normal(pod, "TaintManagerEviction", "Marking for deletion Pod %s/%s", pod.Namespace, pod.Name)
	_, failed := c.pods.UpdateStatus(ctx, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
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

// evictionTime returns when the first of the taints drives a pod away; ok is false when none ever does.
func evictionTime(tolerations []corev1.Toleration, taints []corev1.Taint, now time.Time) (at time.Time, ok bool) {
	for i := range taints {
		since := now
		if taints[i].TimeAdded != nil {
			since = taints[i].TimeAdded.Time
		}
		stay, forever := toleratedFor(tolerations, &taints[i])
		if forever {
			continue
		}
		if end := since.Add(stay); !ok || end.Before(at) {
			at, ok = end, true
		}
	}
	return at, ok
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
