package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ResourceQuota limits what the objects of a namespace take together.
var ResourceQuota = &Kind{
	GroupVersionKind: core("ResourceQuota"),
	Resource:         "resourcequotas",
	Singular:         "resourcequota",
	ShortNames:       []string{"quota"},
	Namespaced:       true,
	New:              makes[corev1.ResourceQuota](),
	NewList:          makes[corev1.ResourceQuotaList](),

	Default:       changes(func(q *corev1.ResourceQuota) { roundResources(q.Spec.Hard) }),
	PrepareCreate: changes(func(q *corev1.ResourceQuota) { q.Status = corev1.ResourceQuotaStatus{} }),
	PrepareUpdate: changesOver(func(updated, old *corev1.ResourceQuota) { updated.Status = old.Status }),
	PrepareStatus: changesOver(func(updated, old *corev1.ResourceQuota) { updated.Spec = old.Spec }),
	HasStatus:     true,

	Validate:       validates(validateResourceQuota),
	ValidateUpdate: validatesOver(validateResourceQuotaUpdate),
	ValidateStatus: validatesOver(validateResourceQuotaStatus),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Request", "string", "Request represents a minimum amount of cpu/memory that a container may consume."),
		column("Limit", "string", "Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node."),
		ageColumn,
	},
	Row: prints(func(q *corev1.ResourceQuota) []any {
		requests, limits := quotaCells(&q.Status)
		return []any{q.Name, requests, limits, age(q)}
	}),
}

// quotaCells are what is used of each limit, apart for what pods request and for what they are limited to.
func quotaCells(s *corev1.ResourceQuotaStatus) (requests, limits string) {
	var of [2][]string
	for _, name := range slices.Sorted(maps.Keys(s.Hard)) {
		used, hard := s.Used[name], s.Hard[name]
		cell := 0
		if strings.HasPrefix(string(name), "limits.") {
			cell = 1
		}
		of[cell] = append(of[cell], fmt.Sprintf("%s: %s/%s", name, used.String(), hard.String()))
	}
	return strings.Join(of[0], ", "), strings.Join(of[1], ", ")
}
