package kind

import (
	rbacv1 "k8s.io/api/rbac/v1"
)

// ClusterRole is what may be done in the whole cluster, or, given by a RoleBinding, in its namespace.
var ClusterRole = &Kind{
	GroupVersionKind: rbac("ClusterRole"),
	Resource:         "clusterroles",
	Singular:         "clusterrole",
	New:              makes[rbacv1.ClusterRole](),
	NewList:          makes[rbacv1.ClusterRoleList](),

	CreateOnUpdate: true,

	ValidateName: pathSegment,
	Validate:     validates(validateClusterRole),

	Columns: roleColumns,
	Row:     prints(func(r *rbacv1.ClusterRole) []any { return []any{r.Name, createdAt(r)} }),
}
