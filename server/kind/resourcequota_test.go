package kind

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func hard(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}

func TestValidateResourceQuota(t *testing.T) {
	type quota = *corev1.ResourceQuota
	base := func() quota {
		return &corev1.ResourceQuota{Spec: corev1.ResourceQuotaSpec{Hard: hard("pods", "3", "requests.cpu", "2")}}
	}
	limits := func(pairs ...string) func(quota) { return func(q quota) { q.Spec.Hard = hard(pairs...) } }
	scopes := func(scopes ...corev1.ResourceQuotaScope) func(quota) { return func(q quota) { q.Spec.Scopes = scopes } }
	selects := func(scope corev1.ResourceQuotaScope, op corev1.ScopeSelectorOperator, values ...string) func(quota) {
		return func(q quota) {
			q.Spec.ScopeSelector = &corev1.ScopeSelector{MatchExpressions: []corev1.ScopedResourceSelectorRequirement{
				{ScopeName: scope, Operator: op, Values: values}}}
		}
	}
	at, selector := "spec.hard", "spec.scopeSelector.matchExpressions"
	checkChanges(t, ResourceQuota, base, []change[quota]{
		{"counts and devices", limits("count/deployments.apps", "5", "requests.example.com/gpu", "2", "configmaps", "4", "requests.hugepages-2Mi", "1Gi"), nil},
		{"unknown name", limits("disk", "1"), []string{at + "[disk]" + isInvalid, at + "[disk]" + isInvalid}},
		{"not for quotas", limits("storage", "1"), []string{at + "[storage]" + isInvalid}},
		{"negative", limits("pods", "-1"), []string{at + "[pods]" + isInvalid}},
		{"half a pod", limits("pods", "500m"), []string{at + "[pods]" + isInvalid}},
		{"half a cpu", limits("cpu", "500m"), nil},
		{"scope", scopes(corev1.ResourceQuotaScopeTerminating), nil},
		{"unknown scope", scopes("Small"), []string{"spec.scopes" + isInvalid}},
		{"scope of other resources", scopes(corev1.ResourceQuotaScopeBestEffort), []string{"spec.scopes" + isInvalid}},
		{"conflicting scopes", scopes(corev1.ResourceQuotaScopeTerminating, corev1.ResourceQuotaScopeNotTerminating), []string{"spec.scopes" + isInvalid}},
		{"priority classes", selects(corev1.ResourceQuotaScopePriorityClass, corev1.ScopeSelectorOpIn, "high"), nil},
		{"no class", selects(corev1.ResourceQuotaScopePriorityClass, corev1.ScopeSelectorOpIn), []string{selector + ".values" + isRequired}},
		{"a class too many", selects(corev1.ResourceQuotaScopePriorityClass, corev1.ScopeSelectorOpExists, "high"), []string{selector + ".values" + isInvalid}},
		{"unknown operator", selects(corev1.ResourceQuotaScopePriorityClass, "Near"), []string{selector + ".operator" + isInvalid}},
		{"operator of another scope", selects(corev1.ResourceQuotaScopeTerminating, corev1.ScopeSelectorOpDoesNotExist), []string{selector + ".operator" + isInvalid}},
	})
	checkUpdates(t, ResourceQuota, base, []change[quota]{
		{"limits", limits("pods", "4"), nil},
		{"scopes", scopes(corev1.ResourceQuotaScopeTerminating), []string{"spec.scopes" + isInvalid}},
	})
}

func TestResourceQuotaRow(t *testing.T) {
	cells := ResourceQuota.Row(&corev1.ResourceQuota{Status: corev1.ResourceQuotaStatus{
		Hard: hard("pods", "3", "limits.cpu", "4", "requests.cpu", "2"), Used: hard("pods", "1", "limits.cpu", "500m"),
	}})
	if cells[1] != "pods: 1/3, requests.cpu: 0/2" || cells[2] != "limits.cpu: 500m/4" {
		t.Errorf("got %q", cells)
	}
}
