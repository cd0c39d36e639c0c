package rbac

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/auth/rbac/validation"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// everything is the rules of whoever may do everything.
var everything = []rbacv1.PolicyRule{on("*", "*", "*"), onPaths("*", "*")}

// Guard is a resource.Guard: nobody gives others what they do not have themselves, unless they are allowed the verb
// escalate on the role, or bind on the role that a binding gives.
func (x *Index) Guard(authorizer auth.Authorizer) resource.Guard {
	return func(ctx context.Context, w resource.Write) error {
		r, ok := auth.RequestOf(ctx)
		if !ok || w.Object == nil || w.Kind.Group != rbacv1.GroupName || r.User.In(auth.GroupMasters) || w.OwnersOnly() {
			return nil
		}
		var err error
		switch obj := w.Object.(type) {
		case *rbacv1.Role:
			err = x.mayWriteRole(authorizer, r.User, w, obj.Rules)
		case *rbacv1.ClusterRole:
			err = x.mayWriteRole(authorizer, r.User, w, obj.Rules)
			if old, _ := w.Old.(*rbacv1.ClusterRole); err == nil && (obj.AggregationRule != nil || old != nil && old.AggregationRule != nil) {
				err = x.mayAggregate(authorizer, r.User, w)
			}
		case *rbacv1.RoleBinding:
			err = x.mayBind(authorizer, r.User, w, obj.RoleRef)
		case *rbacv1.ClusterRoleBinding:
			err = x.mayBind(authorizer, r.User, w, obj.RoleRef)
		}
		if err != nil {
			return apierrors.NewForbidden(w.Kind.GroupResource(), w.Object.(metav1.Object).GetName(), err)
		}
		return nil
	}
}

func (x *Index) mayWriteRole(authorizer auth.Authorizer, u auth.User, w resource.Write, rules []rbacv1.PolicyRule) error {
	if x.escalates(authorizer, u, w) {
		return nil
	}
	return x.holds(u, w.Namespace, rules)
}

// mayAggregate asks for everything, since any role may be labelled to be part of an aggregation later.
func (x *Index) mayAggregate(authorizer auth.Authorizer, u auth.User, w resource.Write) error {
	if x.escalates(authorizer, u, w) || x.holds(u, "", everything) == nil {
		return nil
	}
	return errors.New("must have cluster-admin privileges to use the aggregationRule")
}

func (x *Index) escalates(authorizer auth.Authorizer, u auth.User, w resource.Write) bool {
	allowed, _ := authorizer.Authorize(u, auth.Attributes{
		Verb: "escalate", Group: rbacv1.GroupName, Resource: w.Kind.Resource, Namespace: w.Namespace,
		Name: w.Object.(metav1.Object).GetName(),
	})
	return allowed
}

func (x *Index) mayBind(authorizer auth.Authorizer, u auth.User, w resource.Write, role rbacv1.RoleRef) error {
	a := auth.Attributes{
		Verb: "bind", Group: rbacv1.GroupName, Resource: kind.ClusterRole.Resource, Namespace: w.Namespace, Name: role.Name,
	}
	if role.Kind == kind.Role.Kind {
		a.Resource = kind.Role.Resource
	}
	if allowed, _ := authorizer.Authorize(u, a); allowed {
		return nil
	}
	rules, err := x.RoleRules(role, w.Namespace)
	if err != nil {
		return err
	}
	return x.holds(u, w.Namespace, rules)
}

// holds returns an error that names the rules that a user does not have.
func (x *Index) holds(u auth.User, namespace string, rules []rbacv1.PolicyRule) error {
	own, problem := x.Rules(u, namespace)
	covered, missing := validation.Covers(own, rules)
	if covered {
		return nil
	}
	message := fmt.Sprintf("user %q (groups=%q) is attempting to grant RBAC permissions not currently held:\n%s",
		u.Name, u.Groups, strings.Join(describe(missing), "\n"))
	if problem != nil {
		message += fmt.Sprintf("; resolution errors: %v", problem)
	}
	return errors.New(message)
}

// describe lists rules of one verb each, those of the same resource together.
func describe(rules []rbacv1.PolicyRule) []string {
	var merged []rbacv1.PolicyRule
	for _, r := range rules {
		i := slices.IndexFunc(merged, func(m rbacv1.PolicyRule) bool {
			m.Verbs = r.Verbs
			return len(r.Resources) > 0 && equality.Semantic.DeepEqual(m, r)
		})
		if i >= 0 {
			merged[i].Verbs = append(slices.Clip(merged[i].Verbs), r.Verbs...)
		} else {
			merged = append(merged, r)
		}
	}
	lines := make([]string, len(merged))
	for i, r := range merged {
		lines[i] = compact(r)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func compact(r rbacv1.PolicyRule) string {
	var fields []string
	for _, f := range []struct {
		name   string
		values []string
	}{
		{"APIGroups", r.APIGroups}, {"Resources", r.Resources}, {"NonResourceURLs", r.NonResourceURLs},
		{"ResourceNames", r.ResourceNames}, {"Verbs", r.Verbs},
	} {
		if len(f.values) > 0 {
			fields = append(fields, fmt.Sprintf("%s:%q", f.name, f.values))
		}
	}
	return "{" + strings.Join(fields, ", ") + "}"
}
