package kind

import (
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Role is what may be done in one namespace, once a RoleBinding gives it to somebody.
var Role = &Kind{
	GroupVersionKind: rbac("Role"),
	Resource:         "roles",
	Singular:         "role",
	Namespaced:       true,
	New:              makes[rbacv1.Role](),
	NewList:          makes[rbacv1.RoleList](),

	CreateOnUpdate: true,

	ValidateName: pathSegment,
	Validate:     validates(validateRole),

	Columns: roleColumns,
	Row:     prints(func(r *rbacv1.Role) []any { return []any{r.Name, createdAt(r)} }),
}

// roleColumns are those of roles in a namespace and in the cluster.
var roleColumns = []metav1.TableColumnDefinition{
	nameColumn,
	column("Created At", "date", metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]),
}

func createdAt(obj metav1.Object) string {
	return obj.GetCreationTimestamp().UTC().Format(time.RFC3339)
}
