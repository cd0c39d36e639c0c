package rbac

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"leme/server/auth"
)

func TestRules(t *testing.T) {
	named := on("", "get", "secrets")
	named.ResourceNames = []string{"a"}
	for _, tt := range []struct {
		name string
		rule rbacv1.PolicyRule
		ask  auth.Attributes
		want bool
	}{
		{"the same", on("apps", "get", "deployments"), auth.Attributes{Verb: "get", Group: "apps", Resource: "deployments"}, true},
		{"another verb", on("apps", "get", "deployments"), auth.Attributes{Verb: "list", Group: "apps", Resource: "deployments"}, false},
		{"another group", on("apps", "get", "deployments"), auth.Attributes{Verb: "get", Resource: "deployments"}, false},
		{"another resource", on("", "get", "pods"), auth.Attributes{Verb: "get", Resource: "nodes"}, false},
		{"any", on("*", "*", "*"), auth.Attributes{Verb: "get", Group: "apps", Resource: "deployments", Subresource: "scale"}, true},
		{"a subresource", on("", "get", "pods/log"), auth.Attributes{Verb: "get", Resource: "pods", Subresource: "log"}, true},
		{"a subresource of what is allowed", on("", "get", "pods"), auth.Attributes{Verb: "get", Resource: "pods", Subresource: "log"}, false},
		{"more than a subresource", on("", "get", "pods/log"), auth.Attributes{Verb: "get", Resource: "pods"}, false},
		{"any resource's scale", on("apps", "get", "*/scale"), auth.Attributes{Verb: "get", Group: "apps", Resource: "replicasets", Subresource: "scale"}, true},
		{"the end of a subresource", on("", "get", "pods/xlog"), auth.Attributes{Verb: "get", Resource: "pods", Subresource: "log"}, false},
		{"the name", named, auth.Attributes{Verb: "get", Resource: "secrets", Name: "a"}, true},
		{"another name", named, auth.Attributes{Verb: "get", Resource: "secrets", Name: "b"}, false},
		{"no name", named, auth.Attributes{Verb: "get", Resource: "secrets"}, false},
		{"a path", onPaths("get", "/metrics"), auth.Attributes{Verb: "get", Path: "/metrics"}, true},
		{"below a path", onPaths("get", "/metrics"), auth.Attributes{Verb: "get", Path: "/metrics/slis"}, false},
		{"below a pattern", onPaths("get", "/api/*"), auth.Attributes{Verb: "get", Path: "/api/v1"}, true},
		{"any path", onPaths("get", "*"), auth.Attributes{Verb: "get", Path: "/x"}, true},
		{"a path by a resource's rule", on("*", "*", "*"), auth.Attributes{Verb: "get", Path: "/metrics"}, false},
		{"a resource by a path's rule", onPaths("*", "*"), auth.Attributes{Verb: "get", Resource: "pods"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := allows([]rbacv1.PolicyRule{tt.rule}, &tt.ask); got != tt.want {
				t.Errorf("allowed = %v", got)
			}
		})
	}
}

// filled is an index with roles that read, and bindings of each sort.
func filled() *Index {
	x := NewIndex()
	x.setRole(place{"", "reader"}, []rbacv1.PolicyRule{on("", "get", "pods nodes"), onPaths("get", "/metrics")})
	x.setRole(place{"dev", "reader"}, []rbacv1.PolicyRule{on("", "get", "secrets")})
	cluster := rbacv1.RoleRef{Kind: "ClusterRole", Name: "reader"}
	for _, b := range []*binding{
		{place{"", "all"}, cluster, []rbacv1.Subject{toGroup("ops"), toUser("root")}},
		{place{"dev", "pods"}, cluster, []rbacv1.Subject{toUser("jane"), {Kind: "ServiceAccount", Name: "web"}}},
		{place{"dev", "secrets"}, rbacv1.RoleRef{Kind: "Role", Name: "reader"}, []rbacv1.Subject{toUser("joe"), toUser("joe")}},
		{place{"dev", "broken"}, rbacv1.RoleRef{Kind: "Role", Name: "gone"}, []rbacv1.Subject{toUser("jim")}},
	} {
		x.setBinding(b)
	}
	return x
}

func TestIndexAuthorizes(t *testing.T) {
	x := filled()
	pods := func(namespace string) auth.Attributes {
		return auth.Attributes{Verb: "get", Resource: "pods", Namespace: namespace}
	}
	secrets := auth.Attributes{Verb: "get", Resource: "secrets", Namespace: "dev"}
	for _, tt := range []struct {
		name    string
		user    auth.User
		ask     auth.Attributes
		allowed bool
		reason  string
	}{
		{"a group everywhere", auth.User{Name: "x", Groups: []string{"y", "ops"}}, pods("prod"), true, `RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to Group "ops"`},
		{"a user at a path", auth.User{Name: "root"}, auth.Attributes{Verb: "get", Path: "/metrics"}, true, `RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "reader" to User "root"`},
		{"a user of that group's name", auth.User{Name: "ops"}, pods("prod"), false, ""},
		{"a user in a namespace", auth.User{Name: "jane"}, pods("dev"), true, `RBAC: allowed by RoleBinding "pods/dev" of ClusterRole "reader" to User "jane"`},
		{"a user in another", auth.User{Name: "jane"}, pods("prod"), false, ""},
		{"a user in all", auth.User{Name: "jane"}, pods(""), false, ""},
		{"a path by a namespace's binding", auth.User{Name: "jane"}, auth.Attributes{Verb: "get", Path: "/metrics"}, false, ""},
		{"a service account", auth.User{Name: "system:serviceaccount:dev:web"}, pods("dev"), true, `RBAC: allowed by RoleBinding "pods/dev" of ClusterRole "reader" to ServiceAccount "web/dev"`},
		{"its namesake", auth.User{Name: "system:serviceaccount:prod:web"}, pods("dev"), false, ""},
		{"a role", auth.User{Name: "joe"}, secrets, true, `RBAC: allowed by RoleBinding "secrets/dev" of Role "reader" to User "joe"`},
		{"a role that is gone", auth.User{Name: "jim"}, secrets, false, `RBAC: role.rbac.authorization.k8s.io "gone" not found`},
		{"nobody", auth.User{Name: "nobody"}, secrets, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if allowed, reason := x.Authorize(tt.user, tt.ask); allowed != tt.allowed || reason != tt.reason {
				t.Errorf("got %v, %s", allowed, reason)
			}
		})
	}
}

func TestIndexForgets(t *testing.T) {
	x := filled()
	jane, ask := auth.User{Name: "jane"}, auth.Attributes{Verb: "get", Resource: "pods", Namespace: "dev"}
	x.setBinding(&binding{place{"dev", "pods"}, rbacv1.RoleRef{Kind: "ClusterRole", Name: "reader"}, []rbacv1.Subject{toUser("joe")}})
	if allowed, _ := x.Authorize(jane, ask); allowed {
		t.Error("one who is no subject any more is allowed")
	}
	if allowed, _ := x.Authorize(auth.User{Name: "joe"}, ask); !allowed {
		t.Error("a new subject is not allowed")
	}
	for at := range x.bindings {
		x.setBinding(&binding{place: at})
	}
	if len(x.held)+len(x.bindings) > 0 {
		t.Errorf("%d holders are left", len(x.held))
	}
}

func BenchmarkAuthorize(b *testing.B) {
	x := filled()
	for _, name := range []string{"a", "b", "c", "d"} {
		x.setBinding(&binding{place{"", name}, rbacv1.RoleRef{Kind: "ClusterRole", Name: "reader"}, []rbacv1.Subject{toGroup(name)}})
	}
	u := auth.User{Name: "jane", Groups: []string{"a", "b", "c", "d"}}
	ask := auth.Attributes{Verb: "get", Resource: "nodes", Subresource: "proxy", Namespace: "dev"}
	b.ReportAllocs()
	for b.Loop() {
		x.Authorize(u, ask)
	}
}
