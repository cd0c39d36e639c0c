package rbac

import (
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"

	"leme/server/auth"
)

// Allows says whether one of the rules allows a request.
func Allows(rules []rbacv1.PolicyRule, a auth.Attributes) bool { return allows(rules, &a) }

// allows says whether one of the rules allows a request.
func allows(rules []rbacv1.PolicyRule, a *auth.Attributes) bool {
	for i := range rules {
		if ruleAllows(&rules[i], a) {
			return true
		}
	}
	return false
}

func ruleAllows(r *rbacv1.PolicyRule, a *auth.Attributes) bool {
	if !hasOrAll(r.Verbs, a.Verb) {
		return false
	}
	if a.Path != "" {
		return slices.ContainsFunc(r.NonResourceURLs, func(pattern string) bool { return matchesPath(pattern, a.Path) })
	}
	return hasOrAll(r.APIGroups, a.Group) &&
		slices.ContainsFunc(r.Resources, func(pattern string) bool { return matchesResource(pattern, a.Resource, a.Subresource) }) &&
		(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, a.Name))
}

func hasOrAll(list []string, s string) bool {
	for _, have := range list {
		if have == s || have == rbacv1.ResourceAll {
			return true
		}
	}
	return false
}

// matchesResource takes "pods", "pods/log", "*/scale" (of any resource) and "*" (any, subresources too).
func matchesResource(pattern, resource, subresource string) bool {
	if pattern == rbacv1.ResourceAll {
		return true
	}
	if subresource == "" {
		return pattern == resource
	}
	// The pattern's head must end just before the slash: a subresource may have one itself.
	head, found := strings.CutSuffix(pattern, subresource)
	if !found {
		return false
	}
	head, found = strings.CutSuffix(head, "/")
	return found && (head == resource || head == rbacv1.ResourceAll)
}

// matchesPath takes a path, or the beginning of one with a "*" behind it.
func matchesPath(pattern, path string) bool {
	if strings.HasSuffix(pattern, rbacv1.NonResourceAll) {
		return strings.HasPrefix(path, strings.TrimRight(pattern, rbacv1.NonResourceAll))
	}
	return pattern == path
}
