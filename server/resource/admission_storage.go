package resource

import (
	"context"
	"errors"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/store"
)

// claimOf is the claim for storage that is written, or nil.
func claimOf(w admission) *corev1.PersistentVolumeClaim {
	claim, _ := w.object.(*corev1.PersistentVolumeClaim)
	return claim
}

// storageInUse keeps a new volume, or claim, until nobody uses it: controllers take these finalizers away.
func storageInUse(_ context.Context, _ *API, w admission) error {
	if w.old != nil {
		return nil
	}
	switch obj := w.object.(type) {
	case *corev1.PersistentVolume:
		obj.Finalizers = with(obj.Finalizers, kind.VolumeProtection, true)
	case *corev1.PersistentVolumeClaim:
		obj.Finalizers = with(obj.Finalizers, kind.ClaimProtection, true)
	}
	return nil
}

// storageClassDefault gives a new claim that names no class the default one, if there is one.
func storageClassDefault(_ context.Context, a *API, w admission) error {
	claim := claimOf(w)
	if claim == nil || w.old != nil || kind.ClaimHasClass(claim) {
		return nil
	}
	if class := kind.DefaultStorageClass(a.storageClasses()); class != nil {
		claim.Spec.StorageClassName = new(class.Name)
	}
	return nil
}

func (a *API) storageClasses() (list []*storagev1.StorageClass) {
	a.store.Snapshot(kind.StorageClass.GroupResource()).Ascend("", "", "", func(it *store.Item) bool {
		if class, err := typed[*storagev1.StorageClass](it, nil); err == nil {
			list = append(list, class)
		}
		return true
	})
	return list
}

var errNoGrowth = errors.New("only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize")

// claimGrowth lets a claim, which is bound, ask for more when its class can give it.
func claimGrowth(_ context.Context, a *API, w admission) error {
	claim := claimOf(w)
	if claim == nil || w.old == nil {
		return nil
	}
	old := w.old.(*corev1.PersistentVolumeClaim)
	size, was := claim.Spec.Resources.Requests[corev1.ResourceStorage], old.Spec.Resources.Requests[corev1.ResourceStorage]
	if size.Cmp(was) <= 0 {
		return nil
	}
	name := kind.ClaimClass(claim)
	grows := func(class *storagev1.StorageClass) bool {
		return class.Name == name && ptr.Deref(class.AllowVolumeExpansion, false)
	}
	if name == "" || name != kind.ClaimClass(old) || !slices.ContainsFunc(a.storageClasses(), grows) {
		return apierrors.NewForbidden(w.resource(), claim.Name, errNoGrowth)
	}
	return nil
}
