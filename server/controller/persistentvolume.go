package controller

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// errTaken ends a binding that somebody else has made impossible; the next look finds another way.
var errTaken = errors.New("the volume or the claim is another's now")

// volumePhases says of each volume what has become of it.
type volumePhases struct {
	claims  resource.Typed[*corev1.PersistentVolumeClaim]
	volumes resource.Typed[*corev1.PersistentVolume]
	events  *event.Source
}

func newVolumePhases(e *environment) component {
	c := &volumePhases{
		claims:  resource.For[*corev1.PersistentVolumeClaim](e.api, kind.PersistentVolumeClaim, volumeUser),
		volumes: resource.For[*corev1.PersistentVolume](e.api, kind.PersistentVolume, volumeUser),
		events:  e.events.From("persistentvolume-controller"),
	}
	return &loop[objectKey]{
		name:    "persistentvolume",
		workers: 2,
		sources: []source[objectKey]{
			{of(e.api, kind.PersistentVolume), itself},
			{of(e.api, kind.PersistentVolumeClaim), c.ofClaim},
		},
		reconcile: c.reconcile,
	}
}

// ofClaim gives the volume that a claim has, and those that are for it.
func (c *volumePhases) ofClaim(e store.Event, add func(objectKey)) {
	claim, ok := decoded[*corev1.PersistentVolumeClaim](e.Item)
	if ok && claim.Spec.VolumeName != "" {
		add(objectKey{Name: claim.Spec.VolumeName})
		return
	}
	for _, pv := range c.volumes.List("", func(pv *corev1.PersistentVolume) bool {
		return pv.Spec.ClaimRef != nil && pv.Spec.ClaimRef.Namespace == e.Item.Key.Namespace && pv.Spec.ClaimRef.Name == e.Item.Key.Name
	}) {
		add(objectKey{Name: pv.Name})
	}
}

func (c *volumePhases) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	pv, ok := c.volumes.Get("", key.Name)
	if !ok {
		return 0, nil
	}
	plan := planVolume(pv, c.claimOf(pv))
	if plan.say.reason != "" && plan.phase != pv.Status.Phase {
		tell(c.events, pv, plan.say)
	}
	return 0, ignoreGone(c.apply(ctx, pv, plan))
}

// claimOf is the very claim that a volume is bound to, or nil.
func (c *volumePhases) claimOf(pv *corev1.PersistentVolume) *corev1.PersistentVolumeClaim {
	ref := pv.Spec.ClaimRef
	if ref == nil {
		return nil
	}
	claim, ok := c.claims.Get(ref.Namespace, ref.Name)
	if !ok || claim.UID != ref.UID {
		return nil
	}
	return claim
}

func (c *volumePhases) apply(ctx context.Context, seen *corev1.PersistentVolume, plan volumePlan) error {
	if plan.unbind {
		if _, err := c.volumes.Update(ctx, "", seen.Name, func(pv *corev1.PersistentVolume) error {
			if pv.Spec.ClaimRef == nil || pv.Spec.ClaimRef.UID != seen.Spec.ClaimRef.UID {
				return errTaken
			}
			unbind(pv)
			return nil
		}); err != nil {
			return err
		}
	}
	if plan.phase == seen.Status.Phase {
		return nil
	}
	_, err := c.volumes.UpdateStatus(ctx, "", seen.Name, func(pv *corev1.PersistentVolume) error {
		if pv.Status.Phase == seen.Status.Phase {
			pv.Status.Phase, pv.Status.Message = plan.phase, ""
			if plan.phase == corev1.VolumeFailed {
				pv.Status.Message = plan.say.message
			}
		}
		return nil
	})
	return err
}

// unbind lets go of a claim: wholly, or, where a user has named it, of the one that had that name.
func unbind(pv *corev1.PersistentVolume) {
	if _, byController := pv.Annotations[volumehelper.AnnBoundByController]; !byController {
		pv.Spec.ClaimRef.UID = ""
		return
	}
	pv.Spec.ClaimRef = nil
	delete(pv.Annotations, volumehelper.AnnBoundByController)
}
