package pod

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// kill runs the preStop hook, unless it has run, then stops the container with what is left of its grace.
func (w *worker) kill(a Action) operation {
	hook, hooked := w.preStop(a), a.Abrupt || w.view.Hooked[a.ID]
	w.narrator.container(w.view.Pod, containerOf(w.view.Pod, a.Container))(corev1.EventTypeNormal, "Killing", a.Why)
	return func(ctx context.Context) (func(), error) {
		begin := time.Now()
		if !hooked {
			if _, err := hook(ctx); err != nil {
				return nil, err
			}
		}
		left := max(a.Grace-time.Since(begin), graceMin)
		return nil, w.deps.Runtime.Stop(ctx, a.ID, left)
	}
}

// preStop runs a container's hook for as long as its grace allows. That it fails is told and stops nothing.
func (w *worker) preStop(a Action) operation {
	pod := w.podNow()
	c := containerOf(pod, a.Container)
	return func(ctx context.Context) (func(), error) {
		if c == nil || c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
			return nil, nil
		}
		limited, cancel := context.WithTimeout(ctx, a.Grace)
		defer cancel()
		hook := hook{runtime: w.deps.Runtime, id: a.ID, host: pod.Status.PodIP, container: c}
		if err := hook.run(limited, c.Lifecycle.PreStop); err != nil && ctx.Err() == nil {
			w.narrator.container(pod, c)(corev1.EventTypeWarning, "FailedPreStopHook", fmt.Sprintf("PreStopHook failed: %v", err))
		}
		return nil, ctx.Err()
	}
}
