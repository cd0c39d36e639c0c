package scheduler

import (
	"sync/atomic"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"leme/server/kind"
	"leme/server/resource"
)

// workloadStore is the Workloads that the API holds.
type workloadStore struct {
	services     resource.Typed[*corev1.Service]
	controllers  resource.Typed[*corev1.ReplicationController]
	replicaSets  resource.Typed[*appsv1.ReplicaSet]
	statefulSets resource.Typed[*appsv1.StatefulSet]
	generation   atomic.Uint64 // of the services
}

func newWorkloadStore(api *resource.API) *workloadStore {
	return &workloadStore{
		services:     resource.For[*corev1.Service](api, kind.Service, user),
		controllers:  resource.For[*corev1.ReplicationController](api, kind.ReplicationController, user),
		replicaSets:  resource.For[*appsv1.ReplicaSet](api, kind.ReplicaSet, user),
		statefulSets: resource.For[*appsv1.StatefulSet](api, kind.StatefulSet, user),
	}
}

// Services implements Workloads.
func (s *workloadStore) Services(namespace string) []*corev1.Service {
	return s.services.List(namespace, nil)
}

// Generation implements Workloads.
func (s *workloadStore) Generation() uint64 { return s.generation.Load() }

// Selector implements Workloads.
func (s *workloadStore) Selector(namespace string, owner *metav1.OwnerReference) labels.Selector {
	var selector *metav1.LabelSelector
	switch owner.Kind {
	case "ReplicationController":
		if c, ok := s.controllers.Get(namespace, owner.Name); ok {
			return labels.SelectorFromValidatedSet(c.Spec.Selector)
		}
	case "ReplicaSet":
		if r, ok := s.replicaSets.Get(namespace, owner.Name); ok {
			selector = r.Spec.Selector
		}
	case "StatefulSet":
		if set, ok := s.statefulSets.Get(namespace, owner.Name); ok {
			selector = set.Spec.Selector
		}
	}
	if selector == nil {
		return nil
	}
	made, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil
	}
	return made
}
