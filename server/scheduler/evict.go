package scheduler

import (
	"context"
	"log/slog"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"golang.org/x/sync/errgroup"

	"leme/server/kind"
)

// evictors is how many pods are made to go side by side.
const evictors = 8

// evictAll makes the victims go that pods of higher priority wait for.
func (w *writer) evictAll(ctx context.Context, batch []outcome) {
	for _, o := range batch {
		g, each := errgroup.WithContext(ctx)
		g.SetLimit(evictors)
		for _, victim := range o.victims {
			g.Go(func() error { return w.evict(each, victim, o) })
		}
		if err := g.Wait(); err != nil && ctx.Err() == nil {
			slog.Warn("no room made for a pod", "pod", o.pod.Name, "namespace", o.pod.Namespace, "node", o.nominated, "err", err)
			w.state.notEvicted(o.pod.UID, o.victims)
		}
	}
}

// evict notes on a pod why it goes, and deletes it. One that has gone by itself is none to fail for.
func (w *writer) evict(ctx context.Context, victim *corev1.Pod, o outcome) error {
	_, err := w.pods.UpdateStatus(ctx, victim.Namespace, victim.Name, func(pod *corev1.Pod) error {
		if pod.UID == victim.UID {
			kind.SetPodCondition(pod, corev1.PodCondition{
				Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonPreemptionByScheduler,
				Message: o.pod.Spec.SchedulerName + ": preempting to accommodate a higher priority pod",
			})
		}
		return nil
	})
	if err == nil {
		err = w.pods.Delete(ctx, victim.Namespace, victim.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: ptr.To(victim.UID)}})
	}
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or another one by its name
		return nil
	}
	if err == nil {
		w.of(o.pod).Normal(victim, "Preempted", "Preempted by pod %s on node %s", o.pod.UID, o.nominated)
	}
	return err
}
