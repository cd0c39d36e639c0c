package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// disruptionPatience is how long a pod may be said to go without being deleted.
const disruptionPatience = 2 * time.Minute

// staleDisruptions takes back that a pod is about to go, when nothing has deleted it since.
type staleDisruptions struct {
	pods resource.Typed[*corev1.Pod]
	now  func() time.Time
}

func newStaleDisruptions(e *environment) component {
	c := staleDisruptionsOf(e)
	return &loop[objectKey]{
		name:      "stale-disruption",
		workers:   1,
		sources:   []source[objectKey]{{of(e.api, kind.Pod), c.ofPod}},
		reconcile: c.reconcile,
	}
}

func staleDisruptionsOf(e *environment) *staleDisruptions {
	return &staleDisruptions{pods: resource.For[*corev1.Pod](e.api, kind.Pod, "system:controller:disruption-controller"), now: e.now}
}

func (c *staleDisruptions) ofPod(e store.Event, add func(objectKey)) {
	if pod, ok := decoded[*corev1.Pod](e.Item); ok && announcedDisruption(pod) != nil {
		add(objectKey{Namespace: pod.Namespace, Name: pod.Name})
	}
}

func (c *staleDisruptions) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	pod, ok := c.pods.Get(key.Namespace, key.Name)
	if !ok {
		return 0, nil
	}
	wait, stale := staleDisruption(pod, c.now())
	if !stale {
		return wait, nil
	}
	_, err := c.pods.UpdateStatus(ctx, key.Namespace, key.Name, func(p *corev1.Pod) error {
		if _, stale := staleDisruption(p, c.now()); stale {
			withdrawDisruption(p, c.now())
		}
		return nil
	})
	return 0, ignoreGone(err)
}

// announcedDisruption gives the condition that says that a pod is about to be deleted, while it is not. An agent's word
// stands: it may take any time until such a pod has ended.
func announcedDisruption(p *corev1.Pod) *corev1.PodCondition {
	if !podActive(p) {
		return nil
	}
	for i := range p.Status.Conditions {
		c := &p.Status.Conditions[i]
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue && c.Reason != corev1.PodReasonTerminationByKubelet {
			return c
		}
	}
	return nil
}

// staleDisruption says whether a pod should have gone by now, or else in which time to look again.
func staleDisruption(p *corev1.Pod, now time.Time) (wait time.Duration, stale bool) {
	c := announcedDisruption(p)
	if c == nil {
		return 0, false
	}
	wait = disruptionPatience - now.Sub(c.LastTransitionTime.Time)
	return max(wait, 0), wait <= 0
}

func withdrawDisruption(p *corev1.Pod, now time.Time) {
	*announcedDisruption(p) = corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionFalse, LastTransitionTime: metav1.NewTime(now), ObservedGeneration: p.Generation,
	}
}
