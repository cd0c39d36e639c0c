package auth

import (
	"slices"
	"strings"
)

// Rules authorizes by the table in rules.go: the first rule that allows a request decides, and what none allows is forbidden.
type Rules struct{}

// rule allows a group's members some requests: to resources where it names resources, to paths where it names paths.
type rule struct {
	group     string
	verbs     []string
	resources []string // "group/resource", "group/resource/subresource"; the core group is ""
	namespace string   // when set, only there
	paths     []string // of non-resource requests; a trailing * stands for anything
	own       bool     // a request that names an object must name the node's own
}

const everything = "*"

func (Rules) Authorize(u User, a Attributes) (bool, string) {
	for i := range rules {
		if rules[i].allows(u, a) {
			return true, ""
		}
	}
	if slices.Contains(u.Groups, GroupNodes) && a.Path == "" {
		return false, "an agent may only change what is its own node's"
	}
	return false, ""
}

func (r *rule) allows(u User, a Attributes) bool {
	if !slices.Contains(u.Groups, r.group) || !matches(r.verbs, a.Verb) {
		return false
	}
	if a.Path != "" {
		return slices.ContainsFunc(r.paths, func(p string) bool { return matchPath(p, a.Path) })
	}
	if !matches(r.resources, resourceName(a)) || (r.namespace != "" && r.namespace != a.Namespace) {
		return false
	}
	return !r.own || a.Name == "" || NodePrefix+a.Name == u.Name
}

func resourceName(a Attributes) string {
	name := a.Group + "/" + a.Resource
	if a.Subresource != "" {
		name += "/" + a.Subresource
	}
	return name
}

func matches(list []string, s string) bool {
	return slices.Contains(list, everything) || slices.Contains(list, s)
}

func matchPath(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, everything); ok {
		return strings.HasPrefix(path, prefix)
	}
	return pattern == path
}

// Allowed lists what a user may do, for a rules review: each rule's verbs, resources ("group/resource") and paths.
func (Rules) Allowed(u User, namespace string) []Grant {
	var grants []Grant
	for i := range rules {
		r := &rules[i]
		if slices.Contains(u.Groups, r.group) && (r.namespace == "" || r.namespace == namespace) {
			grants = append(grants, Grant{Verbs: r.verbs, Resources: r.resources, Paths: r.paths})
		}
	}
	return grants
}

// Grant is one thing a user may do.
type Grant struct {
	Verbs, Resources, Paths []string
}
