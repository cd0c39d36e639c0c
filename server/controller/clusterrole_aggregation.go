package controller

import (
	"context"
	"slices"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// newClusterRoleAggregation gives cluster roles that aggregate others the rules of those.
func newClusterRoleAggregation(e *environment) component {
	roles := resource.For[*rbacv1.ClusterRole](e.api, kind.ClusterRole, "system:controller:clusterrole-aggregation-controller")
	return &loop[objectKey]{
		name:    "clusterrole-aggregation",
		workers: 1,
		sources: []source[objectKey]{{of(e.api, kind.ClusterRole), func(_ store.Event, add func(objectKey)) {
			for _, r := range roles.List("", aggregates) {
				add(objectKey{Name: r.Name})
			}
		}}},
		reconcile: func(ctx context.Context, key objectKey) (time.Duration, error) {
			r, ok := roles.Get("", key.Name)
			if !ok || !aggregates(r) {
				return 0, nil
			}
			_, err := roles.Update(ctx, "", key.Name, func(r *rbacv1.ClusterRole) error {
				r.Rules = aggregatedRules(r, roles.List("", nil))
				return nil
			})
			return 0, ignoreGone(err)
		},
	}
}

func aggregates(r *rbacv1.ClusterRole) bool { return r.AggregationRule != nil }

// aggregatedRules are the rules, each once, of the roles that a role's selectors select. The roles are given in the
// order of their names.
func aggregatedRules(r *rbacv1.ClusterRole, roles []*rbacv1.ClusterRole) []rbacv1.PolicyRule {
	if r.AggregationRule == nil {
		return r.Rules
	}
	rules := []rbacv1.PolicyRule{}
	for i := range r.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&r.AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			continue // validation lets none in
		}
		for _, other := range roles {
			if other.Name == r.Name || !selector.Matches(labels.Set(other.Labels)) {
				continue
			}
			for _, rule := range other.Rules {
				if !slices.ContainsFunc(rules, func(have rbacv1.PolicyRule) bool { return equality.Semantic.DeepEqual(have, rule) }) {
					rules = append(rules, rule)
				}
			}
		}
	}
	return rules
}
