package flow

import (
	"slices"
	"strings"

	"leme/server/auth"
)

// schema puts the requests that it matches into a level, and tells its flows apart.
type schema struct {
	name    string
	level   string
	matches func(r *Request) bool
	flow    func(r *Request) string // whose requests take turns with others'; nil: all are one flow
}

// schemas are Kubernetes' suggested and mandatory ones, in the order of their precedence: the first that matches is a
// request's. The last matches all.
var schemas = []schema{
	{"exempt", "exempt", inGroup(auth.GroupMasters), nil},
	{"leme-server", "exempt", inGroup(auth.GroupServers), nil},
	{"probes", "exempt", isProbe, nil},
	{"system-leader-election", "leader-election", all(isAny(isUser("system:kube-controller-manager", "system:kube-scheduler"), ofSystem), elects), byUser},
	{"system-node-high", "node-high", all(inGroup(auth.GroupNodes), isAny(ofNodes, ofLeases)), byUser},
	{"system-nodes", "system", inGroup(auth.GroupNodes), byUser},
	{"kube-controller-manager", "workload-high", isUser("system:kube-controller-manager"), byNamespace},
	{"kube-scheduler", "workload-high", isUser("system:kube-scheduler"), byNamespace},
	{"kube-system-service-accounts", "workload-high", ofSystem, byNamespace},
	{"service-accounts", "workload-low", inGroup("system:serviceaccounts"), byUser},
	{"global-default", "global-default", isAny(inGroup("system:unauthenticated"), inGroup(auth.GroupAuthenticated)), byUser},
	{"catch-all", "catch-all", func(*Request) bool { return true }, byUser},
}

func byUser(r *Request) string      { return r.User.Name }
func byNamespace(r *Request) string { return r.Namespace }

func inGroup(group string) func(*Request) bool {
	return func(r *Request) bool { return r.User.In(group) }
}

func isUser(names ...string) func(*Request) bool {
	return func(r *Request) bool { return slices.Contains(names, r.User.Name) }
}

func all(tests ...func(*Request) bool) func(*Request) bool {
	return func(r *Request) bool {
		return !slices.ContainsFunc(tests, func(test func(*Request) bool) bool { return !test(r) })
	}
}

func isAny(tests ...func(*Request) bool) func(*Request) bool {
	return func(r *Request) bool {
		return slices.ContainsFunc(tests, func(test func(*Request) bool) bool { return test(r) })
	}
}

func ofSystem(r *Request) bool {
	return strings.HasPrefix(r.User.Name, auth.ServiceAccountUser("kube-system", ""))
}

func ofLeases(r *Request) bool {
	return r.Group == "coordination.k8s.io" && r.Resource == "leases" && r.Subresource == "" && r.Namespace != ""
}

// elects is what leader election does.
func elects(r *Request) bool {
	return ofLeases(r) && (r.Verb == "get" || r.Verb == "create" || r.Verb == "update")
}

func ofNodes(r *Request) bool {
	return r.Group == "" && r.Resource == "nodes" && (r.Subresource == "" || r.Subresource == "status")
}

func isProbe(r *Request) bool {
	return r.Verb == "get" && (r.Path == "/healthz" || r.Path == "/readyz" || r.Path == "/livez")
}
