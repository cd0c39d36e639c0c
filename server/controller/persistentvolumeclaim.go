package controller

import (
	"context"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/component-helpers/storage/ephemeral"
	volumehelper "k8s.io/component-helpers/storage/volume"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

const volumeUser = "system:controller:persistent-volume-binder"

// volumeClaims brings claims and volumes together. One worker does, so that no two claims choose the same volume.
type volumeClaims struct {
	claims  resource.Typed[*corev1.PersistentVolumeClaim]
	volumes resource.Typed[*corev1.PersistentVolume]
	classes resource.Typed[*storagev1.StorageClass]
	pods    resource.Typed[*corev1.Pod]
	events  *event.Source
}

func newVolumeClaims(e *environment) component {
	c := &volumeClaims{
		claims:  resource.For[*corev1.PersistentVolumeClaim](e.api, kind.PersistentVolumeClaim, volumeUser),
		volumes: resource.For[*corev1.PersistentVolume](e.api, kind.PersistentVolume, volumeUser),
		classes: resource.For[*storagev1.StorageClass](e.api, kind.StorageClass, volumeUser),
		pods:    resource.For[*corev1.Pod](e.api, kind.Pod, volumeUser),
		events:  e.events.From("persistentvolume-controller"),
	}
	return &loop[objectKey]{
		name:    "persistentvolumeclaim",
		workers: 1,
		sources: []source[objectKey]{
			{of(e.api, kind.PersistentVolumeClaim), itself},
			{of(e.api, kind.PersistentVolume), c.ofVolume},
			{of(e.api, kind.StorageClass), func(_ store.Event, add func(objectKey)) { c.unbound(add) }},
		},
		reconcile: c.reconcile,
	}
}

// ofVolume gives the claim that a volume is for, or all that look for one.
func (c *volumeClaims) ofVolume(e store.Event, add func(objectKey)) {
	for _, it := range []*store.Item{e.Item, e.Prev} {
		if pv, ok := decoded[*corev1.PersistentVolume](it); ok && pv.Spec.ClaimRef != nil {
			add(objectKey{Namespace: pv.Spec.ClaimRef.Namespace, Name: pv.Spec.ClaimRef.Name})
		}
	}
	if pv, ok := decoded[*corev1.PersistentVolume](e.Item); ok && pv.Spec.ClaimRef == nil && e.Type != watch.Deleted {
		c.unbound(add)
	}
}

// unbound gives every claim without a volume.
func (c *volumeClaims) unbound(add func(objectKey)) {
	for _, claim := range c.claims.List("", func(claim *corev1.PersistentVolumeClaim) bool { return claim.Status.Phase != corev1.ClaimBound }) {
		add(objectKey{Namespace: claim.Namespace, Name: claim.Name})
	}
}

// claimResync is how often a claim that waits is told so again.
const claimResync = 15 * time.Second

func (c *volumeClaims) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	claim, ok := c.claims.Get(key.Namespace, key.Name)
	if !ok {
		return 0, nil
	}
	plan := planClaim(c.view(claim))
	if r := plan.say; r.reason != "" {
		tell(c.events, claim, r)
	}
	var again time.Duration
	if claim.Status.Phase == corev1.ClaimPending && plan.bind == nil && plan.class == "" {
		again = claimResync
	}
	return again, ignoreGone(c.apply(ctx, claim, plan))
}

func tell(events *event.Source, about object, r remark) {
	if r.kind == corev1.EventTypeWarning {
		events.Warning(about, r.reason, "%s", r.message)
	} else {
		events.Normal(about, r.reason, "%s", r.message)
	}
}

func (c *volumeClaims) view(claim *corev1.PersistentVolumeClaim) claimView {
	v := claimView{claim: claim, volumes: c.candidates(claim), classes: c.classes.List("", nil)}
	if claim.Spec.VolumeName == "" {
		v.user = c.user(claim)
	}
	return v
}

// candidates are the volumes that a claim may have: the one it names, or all.
func (c *volumeClaims) candidates(claim *corev1.PersistentVolumeClaim) []*corev1.PersistentVolume {
	if claim.Spec.VolumeName == "" {
		return c.volumes.List("", nil)
	}
	if pv, ok := c.volumes.Get("", claim.Spec.VolumeName); ok {
		return []*corev1.PersistentVolume{pv}
	}
	return nil
}

// user is a pod without a node that waits for the claim.
func (c *volumeClaims) user(claim *corev1.PersistentVolumeClaim) string {
	for _, pod := range c.pods.List(claim.Namespace, func(p *corev1.Pod) bool { return p.Spec.NodeName == "" && !podFinished(p) }) {
		if slices.Contains(claimsOfPod(pod), claim.Name) {
			return pod.Name
		}
	}
	return ""
}

// claimsOfPod are the names of the claims that a pod's volumes are of.
func claimsOfPod(pod *corev1.Pod) []string {
	var names []string
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		switch {
		case v.PersistentVolumeClaim != nil:
			names = append(names, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			names = append(names, ephemeral.VolumeClaimName(pod, v))
		}
	}
	return names
}

func (c *volumeClaims) apply(ctx context.Context, claim *corev1.PersistentVolumeClaim, plan claimPlan) error {
	switch {
	case plan.class != "":
		_, err := c.claims.Update(ctx, claim.Namespace, claim.Name, func(pvc *corev1.PersistentVolumeClaim) error {
			if !volumehelper.PersistentVolumeClaimHasClass(pvc) {
				pvc.Spec.StorageClassName = &plan.class
			}
			return nil
		})
		return err
	case plan.bind != nil:
		return c.bind(ctx, claim, plan.bind)
	case plan.provisioner != "":
		_, err := c.claims.Update(ctx, claim.Namespace, claim.Name, func(pvc *corev1.PersistentVolumeClaim) error {
			metav1.SetMetaDataAnnotation(&pvc.ObjectMeta, volumehelper.AnnBetaStorageProvisioner, plan.provisioner)
			metav1.SetMetaDataAnnotation(&pvc.ObjectMeta, volumehelper.AnnStorageProvisioner, plan.provisioner)
			return nil
		})
		return err
	case plan.lost:
		_, err := c.claims.UpdateStatus(ctx, claim.Namespace, claim.Name, func(pvc *corev1.PersistentVolumeClaim) error {
			pvc.Status.Phase, pvc.Status.AccessModes, pvc.Status.Capacity = corev1.ClaimLost, nil, nil
			return nil
		})
		return err
	}
	return nil
}

// bind writes, in this order, the volume's claim, the volume's phase, the claim's volume and the claim's phase: whoever
// goes on after any of these ends the same way.
func (c *volumeClaims) bind(ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) error {
	volume, err := c.volumes.Update(ctx, "", volume.Name, func(pv *corev1.PersistentVolume) error {
		if pv.Spec.ClaimRef != nil && !volumehelper.IsVolumeBoundToClaim(pv, claim) {
			return errTaken
		}
		bound, _, err := volumehelper.GetBindVolumeToClaim(pv, claim)
		if err == nil {
			bound.DeepCopyInto(pv)
		}
		return err
	})
	if err != nil {
		return err
	}
	if _, err := c.volumes.UpdateStatus(ctx, "", volume.Name, func(pv *corev1.PersistentVolume) error {
		pv.Status.Phase, pv.Status.Reason, pv.Status.Message = corev1.VolumeBound, "", ""
		return nil
	}); err != nil {
		return err
	}
	if _, err := c.claims.Update(ctx, claim.Namespace, claim.Name, func(pvc *corev1.PersistentVolumeClaim) error {
		if pvc.UID != claim.UID {
			return errTaken
		}
		if pvc.Spec.VolumeName != volume.Name {
			pvc.Spec.VolumeName = volume.Name
			metav1.SetMetaDataAnnotation(&pvc.ObjectMeta, volumehelper.AnnBoundByController, "yes")
		}
		metav1.SetMetaDataAnnotation(&pvc.ObjectMeta, volumehelper.AnnBindCompleted, "yes")
		return nil
	}); err != nil {
		return err
	}
	_, err = c.claims.UpdateStatus(ctx, claim.Namespace, claim.Name, func(pvc *corev1.PersistentVolumeClaim) error {
		first := pvc.Status.Phase != corev1.ClaimBound
		pvc.Status.Phase, pvc.Status.AccessModes = corev1.ClaimBound, slices.Clone(volume.Spec.AccessModes)
		if _, has := pvc.Status.Capacity[corev1.ResourceStorage]; first || !has {
			pvc.Status.Capacity = maps.Clone(volume.Spec.Capacity)
		}
		pvc.Status.CurrentVolumeAttributesClassName = volume.Spec.VolumeAttributesClassName
		return nil
	})
	return err
}
