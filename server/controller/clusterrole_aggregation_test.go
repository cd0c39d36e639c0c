package controller

import (
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAggregatedRules(t *testing.T) {
	rule := func(verb string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{""}, Resources: []string{"pods"}}
	}
	role := func(name, label string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
		return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"to": label}}, Rules: rules}
	}
	selects := func(label string) metav1.LabelSelector {
		return metav1.LabelSelector{MatchLabels: map[string]string{"to": label}}
	}
	view := role("view", "edit", rule("stale"))
	view.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{selects("view"), selects("edit")}}
	roles := []*rbacv1.ClusterRole{
		role("a", "view", rule("get"), rule("list")),
		role("b", "view", rule("list"), rule("watch")),
		role("c", "edit", rule("create")),
		role("d", "other", rule("delete")),
		view,
	}
	got, want := aggregatedRules(view, roles), []rbacv1.PolicyRule{rule("get"), rule("list"), rule("watch"), rule("create")}
	if !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}
