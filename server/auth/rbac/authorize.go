package rbac

import (
	"errors"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"leme/server/auth"
	"leme/server/kind"
)

// Authorize implements auth.Authorizer: what a binding gives the user or one of their groups is allowed, in the
// whole cluster first, then in the request's namespace. The reason names the binding, or the roles that are missing.
func (x *Index) Authorize(u auth.User, a auth.Attributes) (bool, string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var reason string
	var problems []error
	x.visit(u, a.Namespace, func(g grant) bool {
		rules, err := x.rulesOf(g.role, g.namespace)
		if err != nil {
			problems = append(problems, err)
			return true
		}
		if !allows(rules, &a) {
			return true
		}
		reason = g.reason
		return false
	})
	if reason != "" {
		return true, reason
	}
	if len(problems) > 0 {
		return false, fmt.Sprintf("RBAC: %v", utilerrors.NewAggregate(problems))
	}
	return false, ""
}

// Rules implements auth.RuleLister.
func (x *Index) Rules(u auth.User, namespace string) ([]rbacv1.PolicyRule, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var all []rbacv1.PolicyRule
	var problems []error
	x.visit(u, namespace, func(g grant) bool {
		rules, err := x.rulesOf(g.role, g.namespace)
		if err != nil {
			problems = append(problems, err)
		}
		all = append(all, rules...)
		return true
	})
	return all, errors.Join(problems...)
}

// RoleRules are the rules of the role that a binding in a namespace (none: of the whole cluster) refers to.
func (x *Index) RoleRules(role rbacv1.RoleRef, namespace string) ([]rbacv1.PolicyRule, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.rulesOf(role, namespace)
}

// visit calls fn for each binding that a user has, until it returns false.
func (x *Index) visit(u auth.User, namespace string, fn func(grant) bool) {
	if !x.visitIn(u, "", fn) || namespace == "" {
		return
	}
	x.visitIn(u, namespace, fn)
}

func (x *Index) visitIn(u auth.User, namespace string, fn func(grant) bool) bool {
	if !x.visitHeld(holder{namespace: namespace, name: u.Name}, fn) {
		return false
	}
	for _, group := range u.Groups {
		if !x.visitHeld(holder{namespace: namespace, group: true, name: group}, fn) {
			return false
		}
	}
	return true
}

func (x *Index) visitHeld(h holder, fn func(grant) bool) bool {
	for _, g := range x.held[h] {
		if !fn(g) {
			return false
		}
	}
	return true
}

func (x *Index) rulesOf(role rbacv1.RoleRef, namespace string) ([]rbacv1.PolicyRule, error) {
	at, what := place{"", role.Name}, kind.ClusterRole.Singular
	if role.Kind == kind.Role.Kind {
		at, what = place{namespace, role.Name}, kind.Role.Singular
	}
	rules, ok := x.roles[at]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: rbacv1.GroupName, Resource: what}, role.Name)
	}
	return rules, nil
}
