package audit

import (
	"slices"
	"strings"

	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"leme/server/auth"
)

// Rule is what a policy says about a request.
type Rule struct {
	Level             auditv1.Level
	OmitStages        []auditv1.Stage
	OmitManagedFields bool
}

// AtLeast says whether a level records all that another one does.
func (r Rule) AtLeast(level auditv1.Level) bool { return order(r.Level) >= order(level) }

func order(level auditv1.Level) int {
	return slices.Index([]auditv1.Level{auditv1.LevelNone, auditv1.LevelMetadata, auditv1.LevelRequest, auditv1.LevelRequestResponse}, level)
}

// evaluate finds the first rule that matches; where none does, nothing is recorded.
func evaluate(p *auditv1.Policy, u auth.User, a auth.Attributes) Rule {
	for i := range p.Rules {
		r := &p.Rules[i]
		if !matches(r, u, a) {
			continue
		}
		rule := Rule{Level: r.Level, OmitStages: append(slices.Clip(r.OmitStages), p.OmitStages...), OmitManagedFields: p.OmitManagedFields}
		if r.OmitManagedFields != nil {
			rule.OmitManagedFields = *r.OmitManagedFields
		}
		return rule
	}
	return Rule{Level: auditv1.LevelNone, OmitStages: p.OmitStages}
}

func matches(r *auditv1.PolicyRule, u auth.User, a auth.Attributes) bool {
	switch {
	case len(r.Users) > 0 && !slices.Contains(r.Users, u.Name),
		len(r.UserGroups) > 0 && !slices.ContainsFunc(r.UserGroups, u.In),
		len(r.Verbs) > 0 && !slices.Contains(r.Verbs, a.Verb):
		return false
	case len(r.Namespaces) > 0 || len(r.Resources) > 0:
		return matchesResource(r, a)
	case len(r.NonResourceURLs) > 0:
		return matchesPath(r, a)
	}
	return true
}

func matchesResource(r *auditv1.PolicyRule, a auth.Attributes) bool {
	if a.Resource == "" || len(r.Namespaces) > 0 && !slices.Contains(r.Namespaces, a.Namespace) {
		return false
	}
	return len(r.Resources) == 0 || slices.ContainsFunc(r.Resources, func(g auditv1.GroupResources) bool {
		if g.Group != a.Group || len(g.Resources) == 0 {
			return g.Group == a.Group
		}
		named := len(g.ResourceNames) == 0 || slices.Contains(g.ResourceNames, a.Name)
		return named && slices.ContainsFunc(g.Resources, func(pattern string) bool { return isResource(pattern, a) })
	})
}

// isResource knows "*", "pods", "pods/log", "*/scale" and "pods/*".
func isResource(pattern string, a auth.Attributes) bool {
	resource, subresource, nested := strings.Cut(pattern, "/")
	switch {
	case pattern == "*":
		return true
	case !nested:
		return resource == a.Resource && a.Subresource == ""
	case resource == "*":
		return a.Subresource != "" && subresource == a.Subresource
	}
	return resource == a.Resource && (subresource == "*" || subresource == a.Subresource)
}

func matchesPath(r *auditv1.PolicyRule, a auth.Attributes) bool {
	return a.Resource == "" && slices.ContainsFunc(r.NonResourceURLs, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == a.Path || open && strings.HasPrefix(a.Path, prefix)
	})
}
