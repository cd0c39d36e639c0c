package kind

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// PodMetrics is what a pod's containers use at the moment.
var PodMetrics = &Kind{
	GroupVersionKind: measured("PodMetrics"),
	Of:               Pod,
	Resource:         "pods",
	Singular:         "pod",
	Namespaced:       true,
	New:              makes[metricsv1beta1.PodMetrics](),
	NewList:          makes[metricsv1beta1.PodMetricsList](),
	NoVerbs:          unmeasurable,

	Columns: usageColumns,
	Row: prints(func(m *metricsv1beta1.PodMetrics) []any {
		total := corev1.ResourceList{}
		for _, c := range m.Containers {
			for name, used := range c.Usage {
				sum := total[name]
				sum.Add(used)
				total[name] = sum
			}
		}
		return usageCells(m.Name, total, m.Window)
	}),
}

func measured(name string) schema.GroupVersionKind {
	return metricsv1beta1.SchemeGroupVersion.WithKind(name)
}

// unmeasurable are the verbs that make no sense on what is measured and not kept.
var unmeasurable = []string{"create", "delete", "deletecollection", "patch", "update", "watch"}

// usageColumns are the tables of metrics-server.
var usageColumns = []metav1.TableColumnDefinition{
	{Name: "Name", Type: "string", Format: "name", Description: "Name of the resource"},
	{Name: "cpu", Type: "string", Format: "quantity"},
	{Name: "memory", Type: "string", Format: "quantity"},
	{Name: "Window", Type: "string", Format: "duration"},
}

// usageCells are the cells below usageColumns.
func usageCells(name string, used corev1.ResourceList, window metav1.Duration) []any {
	amount := func(of corev1.ResourceName) string {
		q, ok := used[of]
		if !ok {
			q = resource.Quantity{}
		}
		return q.String()
	}
	return []any{name, amount(corev1.ResourceCPU), amount(corev1.ResourceMemory), window.Duration.String()}
}
