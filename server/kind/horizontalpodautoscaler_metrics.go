package kind

import (
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateMetrics(s *autoscalingv2.HorizontalPodAutoscalerSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	outside := false // pods that are not there measure nothing
	for i, m := range s.Metrics {
		errs = append(errs, validateMetric(&m, path.Index(i))...)
		outside = outside || m.Type == autoscalingv2.ObjectMetricSourceType || m.Type == autoscalingv2.ExternalMetricSourceType
	}
	if s.MinReplicas != nil && *s.MinReplicas == 0 && !outside {
		errs = append(errs, field.Forbidden(path, "must specify at least one Object or External metric to support scaling to zero replicas"))
	}
	return errs
}

// metricSource is a kind of metric: whether it is given, and what is wrong with it.
type metricSource struct {
	sourceType autoscalingv2.MetricSourceType
	given      bool
	check      func(*field.Path) field.ErrorList
}

func metricSources(m *autoscalingv2.MetricSpec) []metricSource {
	return []metricSource{
		{autoscalingv2.ObjectMetricSourceType, m.Object != nil, func(p *field.Path) field.ErrorList { return validateObjectMetric(m.Object, p) }},
		{autoscalingv2.ExternalMetricSourceType, m.External != nil, func(p *field.Path) field.ErrorList { return validateExternalMetric(m.External, p) }},
		{autoscalingv2.PodsMetricSourceType, m.Pods != nil, func(p *field.Path) field.ErrorList { return validatePodsMetric(m.Pods, p) }},
		{autoscalingv2.ResourceMetricSourceType, m.Resource != nil, func(p *field.Path) field.ErrorList {
			return append(metricResourceName(m.Resource.Name, p), validateResourceTarget(m.Resource.Target, p.Child("target"))...)
		}},
		{autoscalingv2.ContainerResourceMetricSourceType, m.ContainerResource != nil, func(p *field.Path) field.ErrorList {
			return validateContainerMetric(m.ContainerResource, p)
		}},
	}
}

// validateMetric checks that a metric is what its type says, and only that.
func validateMetric(m *autoscalingv2.MetricSpec, path *field.Path) field.ErrorList {
	at, errs := path.Child("type"), field.ErrorList{}
	if m.Type == "" {
		errs = append(errs, field.Required(at, "must specify a metric source type"))
	}
	types := []autoscalingv2.MetricSourceType{
		autoscalingv2.ContainerResourceMetricSourceType, autoscalingv2.ExternalMetricSourceType, autoscalingv2.ObjectMetricSourceType,
		autoscalingv2.PodsMetricSourceType, autoscalingv2.ResourceMetricSourceType,
	}
	errs = append(errs, maybeOneOf(at, &m.Type, types...)...)
	var given, others []string
	expected, known := false, false
	for _, source := range metricSources(m) {
		name := lowerFirst(string(source.sourceType))
		if source.given {
			if given = append(given, name); len(given) == 1 {
				errs = append(errs, source.check(path.Child(name))...)
			}
		}
		switch {
		case source.sourceType == m.Type:
			known, expected = true, source.given
		case source.given:
			others = append(others, name)
		}
	}
	switch {
	case !known:
		errs = append(errs, field.NotSupported(at, m.Type, types))
	case !expected:
		errs = append(errs, field.Required(path.Child(lowerFirst(string(m.Type))), "must populate information for the given metric source"))
	}
	if len(given) != 1 {
		for _, name := range others {
			errs = append(errs, field.Forbidden(path.Child(name), "must populate the given metric source only"))
		}
	}
	return errs
}

func validateObjectMetric(m *autoscalingv2.ObjectMetricSource, path *field.Path) field.ErrorList {
	errs := validateReference(m.DescribedObject, path.Child("describedObject"))
	errs = append(errs, validateMetricName(m.Metric, path)...)
	errs = append(errs, validateMetricTarget(m.Target, path.Child("target"))...)
	if m.Target.Value == nil && m.Target.AverageValue == nil {
		errs = append(errs, field.Required(path.Child("target", "averageValue"), "must set either a target value or averageValue"))
	}
	return errs
}

func validateExternalMetric(m *autoscalingv2.ExternalMetricSource, path *field.Path) field.ErrorList {
	errs := append(validateMetricName(m.Metric, path), validateMetricTarget(m.Target, path.Child("target"))...)
	switch {
	case m.Target.Value == nil && m.Target.AverageValue == nil:
		errs = append(errs, field.Required(path.Child("target", "averageValue"), "must set either a target value for metric or a per-pod target"))
	case m.Target.Value != nil && m.Target.AverageValue != nil:
		errs = append(errs, field.Forbidden(path.Child("target", "value"), "may not set both a target value for metric and a per-pod target"))
	}
	return errs
}

func validatePodsMetric(m *autoscalingv2.PodsMetricSource, path *field.Path) field.ErrorList {
	errs := append(validateMetricName(m.Metric, path), validateMetricTarget(m.Target, path.Child("target"))...)
	if m.Target.AverageValue == nil {
		errs = append(errs, field.Required(path.Child("target", "averageValue"), "must specify a positive target averageValue"))
	}
	return errs
}

func validateContainerMetric(m *autoscalingv2.ContainerResourceMetricSource, path *field.Path) field.ErrorList {
	errs := metricResourceName(m.Name, path)
	if m.Name != "" {
		errs = append(errs, containerResourceName(m.Name, path.Child("name"))...)
	}
	if m.Container == "" {
		errs = append(errs, field.Required(path.Child("container"), "must specify a container"))
	} else {
		errs = append(errs, invalid(path.Child("container"), m.Container, validation.IsDNS1123Label(m.Container))...)
	}
	return append(errs, validateResourceTarget(m.Target, path.Child("target"))...)
}

func metricResourceName(name corev1.ResourceName, path *field.Path) field.ErrorList {
	if name != "" {
		return nil
	}
	return field.ErrorList{field.Required(path.Child("name"), "must specify a resource name")}
}

// containerResourceName checks that a container can ask for a resource.
func containerResourceName(name corev1.ResourceName, path *field.Path) field.ErrorList {
	errs := invalid(path, name, validation.IsQualifiedName(string(name)))
	standard := name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourceEphemeralStorage ||
		strings.HasPrefix(string(name), corev1.ResourceHugePagesPrefix)
	if !strings.Contains(string(name), "/") && !standard {
		errs = append(errs, field.Invalid(path, name, "must be a standard resource for containers"))
	}
	return errs
}

func validateMetricName(m autoscalingv2.MetricIdentifier, path *field.Path) field.ErrorList {
	at := path.Child("metric", "name")
	if m.Name == "" {
		return field.ErrorList{field.Required(at, "must specify a metric name")}
	}
	return invalid(at, m.Name, pathSegment(m.Name, false))
}

// validateResourceTarget wants one of an amount and a share of what pods ask for.
func validateResourceTarget(t autoscalingv2.MetricTarget, path *field.Path) field.ErrorList {
	errs := validateMetricTarget(t, path)
	switch {
	case t.AverageUtilization == nil && t.AverageValue == nil:
		errs = append(errs, field.Required(path.Child("averageUtilization"), "must set either a target raw value or a target utilization"))
	case t.AverageUtilization != nil && t.AverageValue != nil:
		errs = append(errs, field.Forbidden(path.Child("averageValue"), "may not set both a target raw value and a target utilization"))
	}
	return errs
}

func validateMetricTarget(t autoscalingv2.MetricTarget, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if t.Type == "" {
		errs = append(errs, field.Required(path.Child("type"), "must specify a metric target type"))
	}
	switch t.Type {
	case autoscalingv2.UtilizationMetricType, autoscalingv2.ValueMetricType, autoscalingv2.AverageValueMetricType:
	default:
		errs = append(errs, field.Invalid(path.Child("type"), t.Type, "must be either Utilization, Value, or AverageValue"))
	}
	if t.Value != nil && t.Value.Sign() != 1 {
		errs = append(errs, field.Invalid(path.Child("value"), t.Value, "must be positive"))
	}
	if t.AverageValue != nil && t.AverageValue.Sign() != 1 {
		errs = append(errs, field.Invalid(path.Child("averageValue"), t.AverageValue, "must be positive"))
	}
	if u := t.AverageUtilization; u != nil && *u < 1 {
		errs = append(errs, field.Invalid(path.Child("averageUtilization"), *u, "must be greater than 0"))
	}
	return errs
}
