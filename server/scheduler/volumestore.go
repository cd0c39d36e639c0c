package scheduler

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"

	"leme/server/kind"
	"leme/server/resource"
)

// nothing is the Storage of a cluster without any.
type nothing struct{}

func (nothing) Claim(string, string) (*corev1.PersistentVolumeClaim, bool) { return nil, false }
func (nothing) Volume(string) (*corev1.PersistentVolume, bool)             { return nil, false }
func (nothing) Class(string) (*storagev1.StorageClass, bool)               { return nil, false }
func (nothing) Free(string, *corev1.PersistentVolumeClaim) []*corev1.PersistentVolume {
	return nil
}

// volumeStore is the Storage that the API holds.
type volumeStore struct {
	claims  resource.Typed[*corev1.PersistentVolumeClaim]
	volumes resource.Typed[*corev1.PersistentVolume]
	classes resource.Typed[*storagev1.StorageClass]

	mu   sync.Mutex
	next chan struct{} // closed at the next change
}

func newVolumeStore(api *resource.API) *volumeStore {
	return &volumeStore{
		claims:  resource.For[*corev1.PersistentVolumeClaim](api, kind.PersistentVolumeClaim, user),
		volumes: resource.For[*corev1.PersistentVolume](api, kind.PersistentVolume, user),
		classes: resource.For[*storagev1.StorageClass](api, kind.StorageClass, user),
		next:    make(chan struct{}),
	}
}

// Claim implements Storage.
func (s *volumeStore) Claim(namespace, name string) (*corev1.PersistentVolumeClaim, bool) {
	return s.claims.Get(namespace, name)
}

// Volume implements Storage.
func (s *volumeStore) Volume(name string) (*corev1.PersistentVolume, bool) {
	return s.volumes.Get("", name)
}

// Class implements Storage.
func (s *volumeStore) Class(name string) (*storagev1.StorageClass, bool) {
	return s.classes.Get("", name)
}

// Free implements Storage.
func (s *volumeStore) Free(class string, claim *corev1.PersistentVolumeClaim) []*corev1.PersistentVolume {
	return s.volumes.List("", func(pv *corev1.PersistentVolume) bool {
		free := pv.Spec.ClaimRef == nil || volumehelper.IsVolumeBoundToClaim(pv, claim)
		return free && volumehelper.GetPersistentVolumeClass(pv) == class
	})
}

// changed tells who waits.
func (s *volumeStore) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.next)
	s.next = make(chan struct{})
}

// change is closed at the next change after the call.
func (s *volumeStore) change() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}
