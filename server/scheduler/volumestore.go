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
func (nothing) Rationed(string) bool                                       { return false }
func (nothing) Capacities(string) []*storagev1.CSIStorageCapacity          { return nil }
func (nothing) Limits(string) map[string]int64                             { return nil }
func (nothing) Attachments() map[string][]csiVolume                        { return nil }
func (nothing) Free(string, *corev1.PersistentVolumeClaim) []*corev1.PersistentVolume {
	return nil
}

// volumeStore is the Storage that the API holds.
type volumeStore struct {
	claims  resource.Typed[*corev1.PersistentVolumeClaim]
	volumes resource.Typed[*corev1.PersistentVolume]
	classes resource.Typed[*storagev1.StorageClass]

	drivers     resource.Typed[*storagev1.CSIDriver]
	csiNodes    resource.Typed[*storagev1.CSINode]
	capacities  resource.Typed[*storagev1.CSIStorageCapacity]
	attachments resource.Typed[*storagev1.VolumeAttachment]

	mu   sync.Mutex
	next chan struct{} // closed at the next change
}

func newVolumeStore(api *resource.API) *volumeStore {
	return &volumeStore{
		claims:  resource.For[*corev1.PersistentVolumeClaim](api, kind.PersistentVolumeClaim, user),
		volumes: resource.For[*corev1.PersistentVolume](api, kind.PersistentVolume, user),
		classes: resource.For[*storagev1.StorageClass](api, kind.StorageClass, user),
		next:    make(chan struct{}),

		drivers:     resource.For[*storagev1.CSIDriver](api, kind.CSIDriver, user),
		csiNodes:    resource.For[*storagev1.CSINode](api, kind.CSINode, user),
		capacities:  resource.For[*storagev1.CSIStorageCapacity](api, kind.CSIStorageCapacity, user),
		attachments: resource.For[*storagev1.VolumeAttachment](api, kind.VolumeAttachment, user),
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

// Rationed implements Storage.
func (s *volumeStore) Rationed(driver string) bool {
	d, ok := s.drivers.Get("", driver)
	return ok && d.Spec.StorageCapacity != nil && *d.Spec.StorageCapacity
}

// Capacities implements Storage.
func (s *volumeStore) Capacities(class string) []*storagev1.CSIStorageCapacity {
	return s.capacities.List("", func(c *storagev1.CSIStorageCapacity) bool { return c.StorageClassName == class })
}

// Limits implements Storage.
func (s *volumeStore) Limits(node string) map[string]int64 {
	n, ok := s.csiNodes.Get("", node)
	if !ok {
		return nil
	}
	limits := make(map[string]int64)
	for _, d := range n.Spec.Drivers {
		if d.Allocatable != nil && d.Allocatable.Count != nil {
			limits[d.Name] = int64(*d.Allocatable.Count)
		}
	}
	return limits
}

// Attachments implements Storage.
func (s *volumeStore) Attachments() map[string][]csiVolume {
	all := make(map[string][]csiVolume)
	for _, a := range s.attachments.List("", nil) {
		if a.Spec.Source.PersistentVolumeName == nil {
			continue
		}
		if pv, ok := s.Volume(*a.Spec.Source.PersistentVolumeName); ok && pv.Spec.CSI != nil {
			all[a.Spec.NodeName] = append(all[a.Spec.NodeName], csiVolume{a.Spec.Attacher, pv.Spec.CSI.VolumeHandle})
		}
	}
	return all
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
