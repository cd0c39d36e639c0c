package auth

var (
	all    = []string{everything}
	read   = []string{"get", "list", "watch"}
	write  = []string{"create", "update", "patch"}
	browse = []string{"get", "head"}
	pull   = []string{"/v2", "/v2/*"}
)

// rules is who may do what. A rule without own holds for every object; see Rules.
var rules = []rule{
	{group: GroupMasters, verbs: all, resources: all, paths: all},
	{group: GroupServers, verbs: all, resources: all, paths: all},

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

	// What everyone who is known may ask: what there is, and what they may do.
	{group: GroupAuthenticated, verbs: browse, paths: []string{
		"/", "/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*",
		"/version", "/version/", "/ui", "/ui/*", "/healthz", "/healthz/*", "/livez", "/livez/*", "/readyz", "/readyz/*",
	}},
	{group: GroupAuthenticated, verbs: []string{"create"}, resources: []string{
		"authorization.k8s.io/selfsubjectaccessreviews", "authorization.k8s.io/selfsubjectrulesreviews",
		"authentication.k8s.io/selfsubjectreviews",
	}},
}
