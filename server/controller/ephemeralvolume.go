package controller

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/component-helpers/storage/ephemeral"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// ephemeralVolumes makes the claims of pods that bring theirs along; they go with their pod.
type ephemeralVolumes struct {
	pods   resource.Typed[*corev1.Pod]
	claims resource.Typed[*corev1.PersistentVolumeClaim]
	events *event.Source
}

func newEphemeralVolumes(e *environment) component {
	const user = "system:controller:ephemeral-volume-controller"
	c := &ephemeralVolumes{
		pods:   resource.For[*corev1.Pod](e.api, kind.Pod, user),
		claims: resource.For[*corev1.PersistentVolumeClaim](e.api, kind.PersistentVolumeClaim, user),
		events: e.events.From("ephemeral_volume"),
	}
	return &loop[objectKey]{
		name:    "ephemeralvolume",
		workers: 2,
		sources: []source[objectKey]{
			{of(e.api, kind.Pod), func(ev store.Event, add func(objectKey)) {
				if ev.Type != watch.Deleted {
					itself(ev, add)
				}
			}},
			{of(e.api, kind.PersistentVolumeClaim), ownerOfClaim},
		},
		reconcile: c.reconcile,
	}
}

// ownerOfClaim gives the pod whose claim is gone.
func ownerOfClaim(e store.Event, add func(objectKey)) {
	claim, ok := decoded[*corev1.PersistentVolumeClaim](e.Item)
	if !ok || e.Type != watch.Deleted {
		return
	}
	if owner := metav1.GetControllerOf(claim); owner != nil && owner.Kind == kind.Pod.Kind {
		add(objectKey{Namespace: claim.Namespace, Name: owner.Name})
	}
}

func (c *ephemeralVolumes) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	pod, ok := c.pods.Get(key.Namespace, key.Name)
	if !ok || pod.DeletionTimestamp != nil || podFinished(pod) {
		return 0, nil
	}
	var errs []error
	for i := range pod.Spec.Volumes {
		if v := &pod.Spec.Volumes[i]; v.Ephemeral != nil && v.Ephemeral.VolumeClaimTemplate != nil {
			errs = append(errs, c.ensure(ctx, pod, v))
		}
	}
	return 0, errors.Join(errs...)
}

func (c *ephemeralVolumes) ensure(ctx context.Context, pod *corev1.Pod, v *corev1.Volume) error {
	name := ephemeral.VolumeClaimName(pod, v)
	if claim, ok := c.claims.Get(pod.Namespace, name); ok {
		return ephemeral.VolumeIsForPod(pod, claim)
	}
	template := v.Ephemeral.VolumeClaimTemplate
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pod.Namespace, Name: name,
			Labels: template.Labels, Annotations: template.Annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(pod, kind.Pod.GroupVersionKind)},
		},
		Spec: template.Spec,
	}
	_, err := c.claims.Create(ctx, claim.DeepCopy())
	if err = ignoreRace(err); err != nil {
		c.events.Warning(pod, "FailedCreate", "ephemeral volume %s: %v", v.Name, err)
	}
	return err
}
