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

var (
	read   = []string{"get", "list", "watch"}
	write  = []string{"create", "update", "patch"}
	browse = []string{"get", "head"}
	pull   = []string{"/v2", "/v2/*"}
)

// rules is what nodes may do. A rule without own holds for every object; see Rules.
var rules = []rule{
	// What a node's agent does: keep its node and its lease, run pods and say how they are.
	{group: GroupNodes, verbs: read, resources: []string{"/nodes", "/pods", "/services", "discovery.k8s.io/endpointslices", "/namespaces"}},
	{group: GroupNodes, verbs: read, resources: []string{"/configmaps", "/secrets", "/serviceaccounts"}},
	{group: GroupNodes, verbs: write, resources: []string{"/nodes", "/nodes/status"}, own: true},
	{group: GroupNodes, verbs: []string{"get", "create", "update", "patch"}, resources: []string{"coordination.k8s.io/leases"}, namespace: "kube-node-lease", own: true},
	{group: GroupNodes, verbs: []string{"get", "update", "patch"}, resources: []string{"/pods/status"}},
	{group: GroupNodes, verbs: []string{"create", "delete"}, resources: []string{"/pods"}},
	{group: GroupNodes, verbs: write, resources: []string{"/events", "events.k8s.io/events"}},
	{group: GroupNodes, verbs: []string{"create"}, resources: []string{"/serviceaccounts/token"}},
	{group: GroupNodes, verbs: []string{"create"}, resources: []string{"authorization.k8s.io/subjectaccessreviews", "authentication.k8s.io/tokenreviews"}},
	{group: GroupNodes, verbs: browse, paths: pull},
}
