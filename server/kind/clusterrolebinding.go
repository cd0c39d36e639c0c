package kind

import (
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ClusterRoleBinding gives a ClusterRole to users, groups and service accounts for the whole cluster.
var ClusterRoleBinding = &Kind{
	GroupVersionKind: rbac("ClusterRoleBinding"),
	Resource:         "clusterrolebindings",
	Singular:         "clusterrolebinding",
	New:              makes[rbacv1.ClusterRoleBinding](),
	NewList:          makes[rbacv1.ClusterRoleBindingList](),

	CreateOnUpdate: true,

	Default:      changes(func(b *rbacv1.ClusterRoleBinding) { defaultBinding(&b.RoleRef, b.Subjects) }),
	ValidateName: pathSegment,
	Validate:     validates(validateClusterRoleBinding),
	ValidateUpdate: validatesOver(func(updated, old *rbacv1.ClusterRoleBinding) field.ErrorList {
		return validateSameRole(updated.RoleRef, old.RoleRef)
	}),

	Columns: bindingColumns("clusterRoleBinding", rbacv1.ClusterRoleBinding{}.SwaggerDoc()["roleRef"]),
	Row: prints(func(b *rbacv1.ClusterRoleBinding) []any {
		return append([]any{b.Name, b.RoleRef.Kind + "/" + b.RoleRef.Name, age(b)}, subjectCells(b.Subjects)...)
	}),
}
