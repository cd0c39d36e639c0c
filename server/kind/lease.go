package kind

import (
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Lease is a heartbeat or a lock.
var Lease = &Kind{
	GroupVersionKind: coordination("Lease"),
	Resource:         "leases",
	Singular:         "lease",
	Namespaced:       true,
	New:              makes[coordinationv1.Lease](),
	NewList:          makes[coordinationv1.LeaseList](),

	ConditionalUpdate: true,
	CreateOnUpdate:    true,

	Validate: validates(validateLease),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Holder", "string", coordinationv1.LeaseSpec{}.SwaggerDoc()["holderIdentity"]),
		ageColumn,
	},
	Row: prints(func(l *coordinationv1.Lease) []any {
		holder := ""
		if l.Spec.HolderIdentity != nil {
			holder = *l.Spec.HolderIdentity
		}
		return []any{l.Name, holder, age(l)}
	}),
}
