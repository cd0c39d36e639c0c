package kind

import (
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
)

// shownTargets is how many metrics a row tells of.
const shownTargets = 2

// autoscalerTargets tells of each metric what it is and what it should be: "cpu: 12%/80%".
func autoscalerTargets(a *autoscalingv2.HorizontalPodAutoscaler) string {
	if len(a.Spec.Metrics) == 0 {
		return none
	}
	var texts []string
	for i := range a.Spec.Metrics {
		var current autoscalingv2.MetricStatus
		if i < len(a.Status.CurrentMetrics) {
			current = a.Status.CurrentMetrics[i]
		}
		texts = append(texts, metricText(&a.Spec.Metrics[i], &current))
	}
	if more := len(texts) - shownTargets; more > 0 {
		return fmt.Sprintf("%s + %d more...", strings.Join(texts[:shownTargets], ", "), more)
	}
	return strings.Join(texts, ", ")
}

func metricText(m *autoscalingv2.MetricSpec, current *autoscalingv2.MetricStatus) string {
	switch {
	case m.Type == autoscalingv2.ExternalMetricSourceType && m.External != nil:
		return valueText(m.External.Target, valueOf(current.External))
	case m.Type == autoscalingv2.ObjectMetricSourceType && m.Object != nil:
		return valueText(m.Object.Target, valueOf(current.Object))
	case m.Type == autoscalingv2.PodsMetricSourceType && m.Pods != nil:
		return fmt.Sprintf("%s/%s", quantityText(valueOf(current.Pods).AverageValue), quantityText(m.Pods.Target.AverageValue))
	case m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil:
		return resourceText(string(m.Resource.Name), m.Resource.Target, valueOf(current.Resource))
	case m.Type == autoscalingv2.ContainerResourceMetricSourceType && m.ContainerResource != nil:
		return resourceText(string(m.ContainerResource.Name), m.ContainerResource.Target, valueOf(current.ContainerResource))
	}
	return "<unknown type>"
}

// valueOf is what a metric is at the moment, empty where nobody has measured it.
func valueOf[S any](s *S) autoscalingv2.MetricValueStatus {
	if s == nil {
		return autoscalingv2.MetricValueStatus{}
	}
	switch s := any(s).(type) {
	case *autoscalingv2.ExternalMetricStatus:
		return s.Current
	case *autoscalingv2.ObjectMetricStatus:
		return s.Current
	case *autoscalingv2.PodsMetricStatus:
		return s.Current
	case *autoscalingv2.ResourceMetricStatus:
		return s.Current
	case *autoscalingv2.ContainerResourceMetricStatus:
		return s.Current
	}
	return autoscalingv2.MetricValueStatus{}
}

func valueText(target autoscalingv2.MetricTarget, current autoscalingv2.MetricValueStatus) string {
	if target.AverageValue != nil {
		return fmt.Sprintf("%s/%s (avg)", quantityText(current.AverageValue), quantityText(target.AverageValue))
	}
	return fmt.Sprintf("%s/%s", quantityText(current.Value), quantityText(target.Value))
}

func resourceText(name string, target autoscalingv2.MetricTarget, current autoscalingv2.MetricValueStatus) string {
	if target.AverageValue != nil {
		return fmt.Sprintf("%s: %s/%s", name, quantityText(current.AverageValue), quantityText(target.AverageValue))
	}
	is, should := unknown, "<auto>"
	if current.AverageUtilization != nil {
		is = fmt.Sprintf("%d%%", *current.AverageUtilization)
	}
	if target.AverageUtilization != nil {
		should = fmt.Sprintf("%d%%", *target.AverageUtilization)
	}
	return fmt.Sprintf("%s: %s/%s", name, is, should)
}

func quantityText(q *resource.Quantity) string {
	if q == nil {
		return unknown
	}
	return q.String()
}
