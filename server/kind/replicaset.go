package kind

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReplicaSet keeps a number of equal pods running.
var ReplicaSet = &Kind{
	GroupVersionKind: apps("ReplicaSet"),
	Resource:         "replicasets",
	Singular:         "replicaset",
	ShortNames:       []string{"rs"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[appsv1.ReplicaSet](),
	NewList:          makes[appsv1.ReplicaSetList](),

	PrepareCreate: creating(replicaSetParts),
	PrepareUpdate: updating(replicaSetParts),
	PrepareStatus: reporting(replicaSetParts),
	HasStatus:     true,
	Scale: scales(func(rs *appsv1.ReplicaSet) (**int32, int32, *metav1.LabelSelector) {
		return &rs.Spec.Replicas, rs.Status.Replicas, rs.Spec.Selector
	}),
}

func replicaSetParts(rs *appsv1.ReplicaSet) (*appsv1.ReplicaSetSpec, *appsv1.ReplicaSetStatus) {
	return &rs.Spec, &rs.Status
}
