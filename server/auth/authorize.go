package auth

import (
	"errors"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
)

// Any allows what one of its authorizers does. They are asked in order; the reasons of those that do not are joined.
type Any []Authorizer

// Authorize implements Authorizer.
func (all Any) Authorize(u User, a Attributes) (bool, string) {
	var reasons []string
	for _, authorizer := range all {
		allowed, reason := authorizer.Authorize(u, a)
		if allowed {
			return true, reason
		}
		if reason != "" {
			reasons = append(reasons, reason)
		}
	}
	return false, strings.Join(reasons, "\n")
}

// RuleLister is an Authorizer that can say all that a user may do in a namespace. An error says what is missing.
type RuleLister interface {
	Rules(u User, namespace string) ([]rbacv1.PolicyRule, error)
}

// Rules implements RuleLister with those that can.
func (all Any) Rules(u User, namespace string) ([]rbacv1.PolicyRule, error) {
	var rules []rbacv1.PolicyRule
	var errs []error
	for _, authorizer := range all {
		if lister, ok := authorizer.(RuleLister); ok {
			more, err := lister.Rules(u, namespace)
			rules, errs = append(rules, more...), append(errs, err)
		}
	}
	return rules, errors.Join(errs...)
}

// Groups allows everything to the members of some groups.
type Groups []string

// Authorize implements Authorizer.
func (g Groups) Authorize(u User, _ Attributes) (bool, string) {
	return slices.ContainsFunc(g, u.In), ""
}

// Superusers are whom no rule can lock out: administrators, and the cluster's own servers.
var Superusers = Groups{GroupMasters, GroupServers}

// In says whether the user is a member of a group.
func (u User) In(group string) bool { return slices.Contains(u.Groups, group) }
