package kind

import metricsv1beta1 "k8s.io/metrics/pkg/apis/metrics/v1beta1"

// NodeMetrics is what a node uses at the moment.
var NodeMetrics = &Kind{
	GroupVersionKind: measured("NodeMetrics"),
	Of:               Node,
	Resource:         "nodes",
	Singular:         "node",
	New:              makes[metricsv1beta1.NodeMetrics](),
	NewList:          makes[metricsv1beta1.NodeMetricsList](),
	NoVerbs:          unmeasurable,

	Columns: usageColumns,
	Row: prints(func(m *metricsv1beta1.NodeMetrics) []any {
		return usageCells(m.Name, m.Usage, m.Window)
	}),
}
