package controller

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// newClaimProtection lets a claim that is being deleted go once no pod uses it.
func newClaimProtection(e *environment) component {
	const user = "system:controller:pvc-protection-controller"
	claims := resource.For[*corev1.PersistentVolumeClaim](e.api, kind.PersistentVolumeClaim, user)
	pods := resource.For[*corev1.Pod](e.api, kind.Pod, user)
	return &loop[objectKey]{
		name:    "pvcprotection",
		workers: 2,
		sources: []source[objectKey]{
			{of(e.api, kind.PersistentVolumeClaim), itself},
			{of(e.api, kind.Pod), func(ev store.Event, add func(objectKey)) {
				pod, ok := decoded[*corev1.Pod](ev.Item)
				if !ok || ev.Type != watch.Deleted && !podFinished(pod) {
					return
				}
				for _, name := range claimsOfPod(pod) {
					add(objectKey{Namespace: pod.Namespace, Name: name})
				}
			}},
		},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			claim, ok := claims.Get(key.Namespace, key.Name)
			if !ok || claim.DeletionTimestamp == nil || !slices.Contains(claim.Finalizers, kind.ClaimProtection) {
				return 0, nil
			}
			if len(pods.List(key.Namespace, usesClaim(key.Name))) > 0 {
				return 0, nil
			}
			_, err := claims.Update(ctx, key.Namespace, key.Name, func(c *corev1.PersistentVolumeClaim) error {
				c.Finalizers = without(c.Finalizers, kind.ClaimProtection)
				return nil
			})
			return 0, ignoreGone(err)
		},
	}
}

// usesClaim tells a pod that has a claim: one that has a node, and has not ended.
func usesClaim(name string) func(*corev1.Pod) bool {
	return func(pod *corev1.Pod) bool {
		return pod.Spec.NodeName != "" && !podFinished(pod) && slices.Contains(claimsOfPod(pod), name)
	}
}

// newVolumeProtection lets a volume that is being deleted go once it is bound to no claim.
func newVolumeProtection(e *environment) component {
	volumes := resource.For[*corev1.PersistentVolume](e.api, kind.PersistentVolume, "system:controller:pv-protection-controller")
	return &loop[objectKey]{
		name:    "pvprotection",
		workers: 2,
		sources: []source[objectKey]{{of(e.api, kind.PersistentVolume), itself}},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			pv, ok := volumes.Get("", key.Name)
			if !ok || pv.DeletionTimestamp == nil || pv.Status.Phase == corev1.VolumeBound || !slices.Contains(pv.Finalizers, kind.VolumeProtection) {
				return 0, nil
			}
			_, err := volumes.Update(ctx, "", key.Name, func(pv *corev1.PersistentVolume) error {
				pv.Finalizers = without(pv.Finalizers, kind.VolumeProtection)
				return nil
			})
			return 0, ignoreGone(err)
		},
	}
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == name })
}
