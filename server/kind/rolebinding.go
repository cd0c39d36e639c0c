package kind

import (
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// RoleBinding gives a Role, or a ClusterRole for one namespace, to users, groups and service accounts.
var RoleBinding = &Kind{
	GroupVersionKind: rbac("RoleBinding"),
	Resource:         "rolebindings",
	Singular:         "rolebinding",
	Namespaced:       true,
	New:              makes[rbacv1.RoleBinding](),
	NewList:          makes[rbacv1.RoleBindingList](),

	CreateOnUpdate: true,

	Default:      changes(func(b *rbacv1.RoleBinding) { defaultBinding(&b.RoleRef, b.Subjects) }),
	ValidateName: pathSegment,
	Validate:     validates(validateRoleBinding),
	ValidateUpdate: validatesOver(func(updated, old *rbacv1.RoleBinding) field.ErrorList {
		return validateSameRole(updated.RoleRef, old.RoleRef)
	}),

	Columns: bindingColumns("roleBinding", rbacv1.RoleBinding{}.SwaggerDoc()["roleRef"]),
	Row: prints(func(b *rbacv1.RoleBinding) []any {
		return append([]any{b.Name, b.RoleRef.Kind + "/" + b.RoleRef.Name, age(b)}, subjectCells(b.Subjects)...)
	}),
}

func bindingColumns(what, roleDoc string) []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		nameColumn,
		column("Role", "string", roleDoc),
		ageColumn,
		wide("Users", "Users in the "+what),
		wide("Groups", "Groups in the "+what),
		wide("ServiceAccounts", "ServiceAccounts in the "+what),
	}
}

// subjectCells are the wide cells of a binding: its users, groups and service accounts.
func subjectCells(subjects []rbacv1.Subject) []any {
	var users, groups, accounts []string
	for _, s := range subjects {
		switch s.Kind {
		case rbacv1.UserKind:
			users = append(users, s.Name)
		case rbacv1.GroupKind:
			groups = append(groups, s.Name)
		case rbacv1.ServiceAccountKind:
			accounts = append(accounts, s.Namespace+"/"+s.Name)
		}
	}
	return []any{strings.Join(users, ", "), strings.Join(groups, ", "), strings.Join(accounts, ", ")}
}

// defaultBinding fills in the API groups that were left out.
func defaultBinding(role *rbacv1.RoleRef, subjects []rbacv1.Subject) {
	setDefaultText(&role.APIGroup, rbacv1.GroupName)
	for i := range subjects {
		if s := &subjects[i]; s.Kind == rbacv1.UserKind || s.Kind == rbacv1.GroupKind {
			setDefaultText(&s.APIGroup, rbacv1.GroupName)
		}
	}
}
