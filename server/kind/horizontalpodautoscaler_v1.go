package kind

import (
	"maps"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// HorizontalPodAutoscalerV1 is HorizontalPodAutoscaler as autoscaling/v1 has it. Its spec knows of nothing but the use
// of processors: everything else stands in annotations, from which it is read back.
var HorizontalPodAutoscalerV1 = HorizontalPodAutoscaler.ServedAs(Version{
	GroupVersionKind: autoscalingv1.SchemeGroupVersion.WithKind("HorizontalPodAutoscaler"),
	New:              makes[autoscalingv1.HorizontalPodAutoscaler](),
	NewList:          makes[autoscalingv1.HorizontalPodAutoscalerList](),
	Default:          changes(func(a *autoscalingv1.HorizontalPodAutoscaler) { setDefault(&a.Spec.MinReplicas, 1) }),
	ToStored:         converts(fromAutoscalerV1),
	FromStored:       converts(toAutoscalerV1),
})

// Where v1 keeps what it has no fields for.
const (
	metricsAnnotation        = "autoscaling.alpha.kubernetes.io/metrics"
	currentMetricsAnnotation = "autoscaling.alpha.kubernetes.io/current-metrics"
	conditionsAnnotation     = "autoscaling.alpha.kubernetes.io/conditions"
	behaviorAnnotation       = "autoscaling.alpha.kubernetes.io/behavior"
	toleranceDownAnnotation  = "autoscaling.alpha.kubernetes.io/scale-down-tolerance"
	toleranceUpAnnotation    = "autoscaling.alpha.kubernetes.io/scale-up-tolerance"
)

// withoutRoundTrip are an object's annotations but for those that stand for fields.
func withoutRoundTrip(annotations map[string]string) map[string]string {
	kept := maps.Clone(annotations)
	for _, name := range []string{
		metricsAnnotation, currentMetricsAnnotation, conditionsAnnotation, behaviorAnnotation, toleranceDownAnnotation, toleranceUpAnnotation,
	} {
		delete(kept, name)
	}
	return kept
}

func toAutoscalerV1(a *autoscalingv2.HorizontalPodAutoscaler) (runtime.Object, error) {
	out := &autoscalingv1.HorizontalPodAutoscaler{
		ObjectMeta: a.ObjectMeta,
		Spec: autoscalingv1.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv1.CrossVersionObjectReference(a.Spec.ScaleTargetRef),
			MinReplicas:    a.Spec.MinReplicas,
			MaxReplicas:    a.Spec.MaxReplicas,
		},
		Status: autoscalingv1.HorizontalPodAutoscalerStatus{
			ObservedGeneration: a.Status.ObservedGeneration,
			LastScaleTime:      a.Status.LastScaleTime,
			CurrentReplicas:    a.Status.CurrentReplicas,
			DesiredReplicas:    a.Status.DesiredReplicas,
		},
	}
	out.Annotations = withoutRoundTrip(a.Annotations)
	var others []autoscalingv1.MetricSpec
	for _, m := range a.Spec.Metrics {
		switch {
		case !isCPUUtilization(&m):
			others = append(others, toMetricV1(&m))
		case out.Spec.TargetCPUUtilizationPercentage == nil:
			out.Spec.TargetCPUUtilizationPercentage = m.Resource.Target.AverageUtilization
		}
	}
	var current []autoscalingv1.MetricStatus
	for _, m := range a.Status.CurrentMetrics {
		if m.Resource != nil && m.Resource.Name == corev1.ResourceCPU && m.Resource.Current.AverageUtilization != nil {
			out.Status.CurrentCPUUtilizationPercentage = m.Resource.Current.AverageUtilization
		}
		current = append(current, toMetricStatusV1(&m))
	}
	keep := annotator{&out.ObjectMeta}
	keep.set(metricsAnnotation, others, len(others) > 0)
	keep.set(currentMetricsAnnotation, current, len(current) > 0)
	keep.set(behaviorAnnotation, toStoredBehavior(a.Spec.Behavior), a.Spec.Behavior != nil)
	keep.set(conditionsAnnotation, a.Status.Conditions, len(a.Status.Conditions) > 0)
	return out, nil
}

func isCPUUtilization(m *autoscalingv2.MetricSpec) bool {
	return m.Type == autoscalingv2.ResourceMetricSourceType && m.Resource != nil &&
		m.Resource.Name == corev1.ResourceCPU && m.Resource.Target.AverageUtilization != nil
}

func fromAutoscalerV1(a *autoscalingv1.HorizontalPodAutoscaler) (runtime.Object, error) {
	out := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: a.ObjectMeta,
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference(a.Spec.ScaleTargetRef),
			MinReplicas:    a.Spec.MinReplicas,
			MaxReplicas:    a.Spec.MaxReplicas,
		},
		Status: autoscalingv2.HorizontalPodAutoscalerStatus{
			ObservedGeneration: a.Status.ObservedGeneration,
			LastScaleTime:      a.Status.LastScaleTime,
			CurrentReplicas:    a.Status.CurrentReplicas,
			DesiredReplicas:    a.Status.DesiredReplicas,
		},
	}
	out.Annotations = withoutRoundTrip(a.Annotations)
	for _, m := range annotated[[]autoscalingv1.MetricSpec](a, metricsAnnotation) {
		out.Spec.Metrics = append(out.Spec.Metrics, fromMetricV1(&m))
	}
	if percent := a.Spec.TargetCPUUtilizationPercentage; percent != nil {
		out.Spec.Metrics = append(out.Spec.Metrics, cpuUtilization(*percent))
	}
	if percent := a.Status.CurrentCPUUtilizationPercentage; percent != nil {
		out.Status.CurrentMetrics = []autoscalingv2.MetricStatus{{
			Type: autoscalingv2.ResourceMetricSourceType,
			Resource: &autoscalingv2.ResourceMetricStatus{
				Name: corev1.ResourceCPU, Current: autoscalingv2.MetricValueStatus{AverageUtilization: percent},
			},
		}}
	}
	if current := annotated[[]autoscalingv1.MetricStatus](a, currentMetricsAnnotation); current != nil { // they say more
		out.Status.CurrentMetrics = nil
		for _, m := range current {
			out.Status.CurrentMetrics = append(out.Status.CurrentMetrics, fromMetricStatusV1(&m))
		}
	}
	out.Spec.Behavior = fromStoredBehavior(annotated[*storedBehavior](a, behaviorAnnotation))
	out.Status.Conditions = annotated[[]autoscalingv2.HorizontalPodAutoscalerCondition](a, conditionsAnnotation)
	return out, nil
}
