package kind

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestValidateRoles(t *testing.T) {
	rules := func() []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}}}
	}
	type role = *rbacv1.Role
	checkChanges(t, Role, func() role { return &rbacv1.Role{Rules: rules()} }, []change[role]{
		{"no verbs", func(r role) { r.Rules[0].Verbs = nil }, []string{"rules[0].verbs" + isRequired}},
		{"no groups", func(r role) { r.Rules[0].APIGroups = nil }, []string{"rules[0].apiGroups" + isRequired}},
		{"no resources", func(r role) { r.Rules[0].Resources = nil }, []string{"rules[0].resources" + isRequired}},
		{"no rules", func(r role) { r.Rules = nil }, nil},
		{"a path", func(r role) {
			r.Rules[0] = rbacv1.PolicyRule{Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics"}}
		}, []string{"rules[0].nonResourceURLs" + isInvalid}},
	})
	type clusterRole = *rbacv1.ClusterRole
	selectors := "aggregationRule.clusterRoleSelectors"
	checkChanges(t, ClusterRole, func() clusterRole { return &rbacv1.ClusterRole{Rules: rules()} }, []change[clusterRole]{
		{"a path", func(r clusterRole) {
			r.Rules[0] = rbacv1.PolicyRule{Verbs: []string{"get"}, NonResourceURLs: []string{"/metrics"}}
		}, nil},
		{"a path and a resource", func(r clusterRole) { r.Rules[0].NonResourceURLs = []string{"/metrics"} }, []string{"rules[0].nonResourceURLs" + isInvalid}},
		{"aggregating nothing", func(r clusterRole) { r.AggregationRule = &rbacv1.AggregationRule{} }, []string{selectors + isRequired}},
		{"a bad selector", func(r clusterRole) {
			r.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"-": ""}}}}
		}, []string{selectors + "[0].matchLabels" + isInvalid}},
	})
}

func TestValidateBindings(t *testing.T) {
	subjects := func() []rbacv1.Subject {
		return []rbacv1.Subject{{Kind: "User", Name: "jane"}, {Kind: "ServiceAccount", Name: "web", Namespace: "default"}}
	}
	type binding = *rbacv1.RoleBinding
	base := func() binding {
		return &rbacv1.RoleBinding{RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "system:reader"}, Subjects: subjects()}
	}
	checkChanges(t, RoleBinding, base, []change[binding]{
		{"another group's role", func(b binding) { b.RoleRef.APIGroup = "apps" }, []string{"roleRef.apiGroup" + isNotSupported}},
		{"no role", func(b binding) { b.RoleRef = rbacv1.RoleRef{} }, []string{
			"roleRef.apiGroup" + isNotSupported, "roleRef.kind" + isNotSupported, "roleRef.name" + isRequired}},
		{"a path for a role", func(b binding) { b.RoleRef.Name = "a/b" }, []string{"roleRef.name" + isInvalid}},
		{"a cluster role", func(b binding) { b.RoleRef.Kind = "ClusterRole" }, nil},
		{"no subjects", func(b binding) { b.Subjects = nil }, nil},
		{"nobody", func(b binding) { b.Subjects[0].Name = "" }, []string{"subjects[0].name" + isRequired}},
		{"a user of another group", func(b binding) { b.Subjects[0].APIGroup = "" }, []string{"subjects[0].apiGroup" + isNotSupported}},
		{"an account with a group", func(b binding) { b.Subjects[1].APIGroup = rbacv1.GroupName }, []string{"subjects[1].apiGroup" + isNotSupported}},
		{"an account with a bad name", func(b binding) { b.Subjects[1].Name = "A" }, []string{"subjects[1].name" + isInvalid}},
		{"an account of the same namespace", func(b binding) { b.Subjects[1].Namespace = "" }, nil},
		{"another kind", func(b binding) { b.Subjects[0].Kind = "Robot" }, []string{"subjects[0].kind" + isNotSupported}},
	})
	checkUpdates(t, RoleBinding, base, []change[binding]{
		{"another subject", func(b binding) { b.Subjects[0].Name = "joe" }, nil},
		{"another role", func(b binding) { b.RoleRef.Name = "admin" }, []string{"roleRef" + isInvalid}},
	})
	type clusterBinding = *rbacv1.ClusterRoleBinding
	inCluster := func() clusterBinding {
		return &rbacv1.ClusterRoleBinding{RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "reader"}, Subjects: subjects()}
	}
	checkChanges(t, ClusterRoleBinding, inCluster, []change[clusterBinding]{
		{"a role of some namespace", func(b clusterBinding) { b.RoleRef.Kind = "Role" }, []string{"roleRef.kind" + isNotSupported}},
		{"an account of some namespace", func(b clusterBinding) { b.Subjects[1].Namespace = "" }, []string{"subjects[1].namespace" + isRequired}},
	})
	checkUpdates(t, ClusterRoleBinding, inCluster, []change[clusterBinding]{
		{"another role", func(b clusterBinding) { b.RoleRef.Name = "admin" }, []string{"roleRef" + isInvalid}},
	})
}

func TestRoleRows(t *testing.T) {
	meta := metav1.ObjectMeta{Name: "a", CreationTimestamp: metav1.Unix(0, 0)}
	subjects := []rbacv1.Subject{{Kind: "User", Name: "jane"}, {Kind: "User", Name: "joe"}, {Kind: "Group", Name: "ops"},
		{Kind: "ServiceAccount", Namespace: "default", Name: "web"}}
	role := &rbacv1.Role{ObjectMeta: meta}
	if got := strings.Join(printed(Role.Row(role)), "|"); got != "a|1970-01-01T00:00:00Z" {
		t.Errorf("got %s", got)
	}
	b := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "a"}, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: subjects}
	if got := strings.Join(printed(RoleBinding.Row(b)), "|"); got != "a|Role/r|<unknown>|jane, joe|ops|default/web" {
		t.Errorf("got %s", got)
	}
}
