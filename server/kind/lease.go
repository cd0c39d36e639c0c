package kind

import coordinationv1 "k8s.io/api/coordination/v1"

// Lease is a heartbeat or a lock.
var Lease = &Kind{
	GroupVersionKind: coordination("Lease"),
	Resource:         "leases",
	Singular:         "lease",
	Namespaced:       true,
	New:              makes[coordinationv1.Lease](),
	NewList:          makes[coordinationv1.LeaseList](),
}
