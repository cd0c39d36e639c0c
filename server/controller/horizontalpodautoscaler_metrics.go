package controller

import (
	"errors"
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
)

// The APIs that are not served here, in the words in which Kubernetes' controller misses them.
var (
	errNoCustomMetrics   = errors.New("unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered")
	errNoExternalMetrics = errors.New("unable to fetch metrics from external metrics API: no external metrics API (external.metrics.k8s.io) registered")
)

// proposal is what one metric wants.
type proposal struct {
	replicas int32
	name     string // of the metric, in sentences
	status   autoscalingv2.MetricStatus
}

// metricError is why a metric wants nothing.
type metricError struct {
	reason string // of the condition and the event
	err    error
	prefix string // in the summary
}

// ask gives what the metric wants that wants most. Those that fail are told of; where some do, no fewer replicas than
// there are can be decided on, and where all do, nothing.
func (p *autoscalerPlan) ask(v autoscalerView) (replicas int32, metric string, statuses []autoscalingv2.MetricStatus, err error) {
	if err := p.selector(v); err != nil {
		return 0, "", nil, err
	}
	metrics := v.autoscaler.Spec.Metrics
	statuses = make([]autoscalingv2.MetricStatus, len(metrics))
	var first *metricError
	failed := 0
	for i := range metrics {
		got, refused := propose(v, &metrics[i])
		if refused != nil {
			p.warn(refused.reason, refused.err.Error())
			if first == nil {
				first = refused
			}
			failed++
			continue
		}
		statuses[i] = got.status
		if replicas == 0 || got.replicas > replicas {
			replicas, metric = got.replicas, got.name
		}
	}
	if failed == len(metrics) || failed > 0 && replicas < v.scale.Spec.Replicas {
		message := "there are no metrics"
		reason := "InvalidMetricSourceType"
		if first != nil {
			message, reason = first.err.Error(), first.reason
			err = fmt.Errorf("invalid metrics (%d invalid out of %d), first error is: %s: %w", failed, len(metrics), first.prefix, first.err)
		} else {
			err = errors.New(message)
		}
		p.condition(autoscalingv2.ScalingActive, corev1.ConditionFalse, reason, "the HPA was unable to compute the replica count: "+message, v.now)
		return 0, "", statuses, err
	}
	p.condition(autoscalingv2.ScalingActive, corev1.ConditionTrue, "ValidMetricFound",
		"the HPA was able to successfully calculate a replica count from "+metric, v.now)
	return replicas, metric, statuses, nil
}

// propose asks one metric.
func propose(v autoscalerView, m *autoscalingv2.MetricSpec) (proposal, *metricError) {
	namespace := v.autoscaler.Namespace
	switch {
	case m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil:
		got, err := proposeResource(v, m.Resource.Name, "", m.Resource.Target)
		if err != nil {
			return proposal{}, &metricError{"FailedGetResourceMetric", err, fmt.Sprintf("failed to get %s resource metric value", m.Resource.Name)}
		}
		got.status = autoscalingv2.MetricStatus{Type: m.Type, Resource: &autoscalingv2.ResourceMetricStatus{
			Name: m.Resource.Name, Current: got.status.Resource.Current,
		}}
		return got, nil
	case m.Type == autoscalingv2.ContainerResourceMetricSourceType && m.ContainerResource != nil:
		c := m.ContainerResource
		got, err := proposeResource(v, c.Name, c.Container, c.Target)
		if err != nil {
			return proposal{}, &metricError{"FailedGetContainerResourceMetric", err, fmt.Sprintf("failed to get %s container metric value", c.Container)}
		}
		got.status = autoscalingv2.MetricStatus{Type: m.Type, ContainerResource: &autoscalingv2.ContainerResourceMetricStatus{
			Name: c.Name, Container: c.Container, Current: got.status.Resource.Current,
		}}
		return got, nil
	case m.Type == autoscalingv2.PodsMetricSourceType && m.Pods != nil:
		err := fmt.Errorf("unable to get metric %s: %w", m.Pods.Metric.Name, errNoCustomMetrics)
		return proposal{}, &metricError{"FailedGetPodsMetric", err, "failed to get pods metric value"}
	case m.Type == autoscalingv2.ObjectMetricSourceType && m.Object != nil:
		of := m.Object.DescribedObject
		err := fmt.Errorf("unable to get metric %s on %s %s/%s: %w", m.Object.Metric.Name, of.Kind, namespace, of.Name, errNoCustomMetrics)
		return proposal{}, &metricError{"FailedGetObjectMetric", err, "failed to get object metric value"}
	case m.Type == autoscalingv2.ExternalMetricSourceType && m.External != nil:
		name := m.External.Metric.Name
		err := fmt.Errorf("unable to get external metric %s/%s/%+v: %w", namespace, name, m.External.Metric.Selector, errNoExternalMetrics)
		return proposal{}, &metricError{"FailedGetExternalMetric", err, fmt.Sprintf("failed to get %s external metric value", name)}
	}
	err := fmt.Errorf("unknown metric source type %q", m.Type)
	return proposal{}, &metricError{"InvalidMetricSourceType", err, "failed to get metric value"}
}

// proposeResource is what the use of a resource wants, of the whole pods or of one container of each. Its status is that
// of a resource metric.
func proposeResource(v autoscalerView, name corev1.ResourceName, container string, target autoscalingv2.MetricTarget) (proposal, error) {
	c := resourceCalculation{view: v, resource: name, container: container}
	var r reckoning
	var err error
	var current autoscalingv2.MetricValueStatus
	got := proposal{name: fmt.Sprintf("%s resource", name)}
	switch {
	case target.AverageValue != nil:
		if r, err = c.byValue(target.AverageValue.MilliValue()); err != nil {
			return proposal{}, fmt.Errorf("failed to get %s usage: %w", name, err)
		}
	case target.AverageUtilization != nil:
		if r, err = c.byUtilization(*target.AverageUtilization); err != nil {
			return proposal{}, fmt.Errorf("failed to get %s utilization: %w", name, err)
		}
		got.name = fmt.Sprintf("%s resource utilization (percentage of request)", name)
		if container != "" {
			got.name = fmt.Sprintf("%s container resource utilization (percentage of request)", name)
		}
		current.AverageUtilization = &r.utilization
	default:
		return proposal{}, errors.New("invalid resource metric source: neither an average utilization target nor an average value (usage) target was set")
	}
	format := apiresource.DecimalSI
	if name == corev1.ResourceMemory {
		format = apiresource.BinarySI
	}
	current.AverageValue = apiresource.NewMilliQuantity(r.average, format)
	got.replicas = r.replicas
	got.status.Resource = &autoscalingv2.ResourceMetricStatus{Current: current}
	return got, nil
}
