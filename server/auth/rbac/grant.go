package rbac

import (
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"

	"leme/server/auth"
)

// grants are what a binding gives to whom.
func (b *binding) grants() map[holder]grant {
	grants := make(map[holder]grant, len(b.subjects))
	for i := range b.subjects {
		h, shown := b.holder(&b.subjects[i])
		if _, twice := grants[h]; twice || shown == "" {
			continue
		}
		grants[h] = grant{binding: b, reason: fmt.Sprintf("RBAC: allowed by %s of %s %q to %s", b, b.role.Kind, b.role.Name, shown)}
	}
	return grants
}

// holder is a subject as requests show it, where a service account is a user, and as people are told of it; "" where
// nobody can be meant.
func (b *binding) holder(s *rbacv1.Subject) (h holder, shown string) {
	h = holder{namespace: b.namespace, name: s.Name}
	switch s.Kind {
	case rbacv1.UserKind:
	case rbacv1.GroupKind:
		h.group = true
	case rbacv1.ServiceAccountKind:
		namespace := s.Namespace
		if namespace == "" {
			namespace = b.namespace
		}
		if namespace == "" {
			return h, ""
		}
		h.name = auth.ServiceAccountUser(namespace, s.Name)
		return h, fmt.Sprintf("%s %q", s.Kind, s.Name+"/"+namespace)
	default:
		return h, ""
	}
	return h, fmt.Sprintf("%s %q", s.Kind, s.Name)
}

func (b *binding) String() string {
	if b.namespace == "" {
		return fmt.Sprintf("ClusterRoleBinding %q", b.name)
	}
	return fmt.Sprintf("RoleBinding %q", b.name+"/"+b.namespace)
}
