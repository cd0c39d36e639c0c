package kind

import (
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
)

// HorizontalPodAutoscaler scales a workload by what its pods use.
var HorizontalPodAutoscaler = &Kind{
	GroupVersionKind: autoscaling("HorizontalPodAutoscaler"),
	Resource:         "horizontalpodautoscalers",
	Singular:         "horizontalpodautoscaler",
	ShortNames:       []string{"hpa"},
	Categories:       []string{"all"},
	Namespaced:       true,
	New:              makes[autoscalingv2.HorizontalPodAutoscaler](),
	NewList:          makes[autoscalingv2.HorizontalPodAutoscalerList](),

	Default:       changes(defaultAutoscaler),
	PrepareCreate: creating(autoscalerParts),
	PrepareUpdate: updating(autoscalerParts),
	PrepareStatus: reporting(autoscalerParts),
	HasStatus:     true,

	Validate:       validates(validateAutoscaler),
	ValidateCreate: validates(validateNewAutoscaler),
	ValidateUpdate: validatesOver(validateAutoscalerUpdate),
	ValidateStatus: validatesOver(validateAutoscalerStatus),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Reference", "string", autoscalingv2.HorizontalPodAutoscalerSpec{}.SwaggerDoc()["scaleTargetRef"]),
		column("Targets", "string", autoscalingv2.HorizontalPodAutoscalerSpec{}.SwaggerDoc()["metrics"]),
		column("MinPods", "string", autoscalingv2.HorizontalPodAutoscalerSpec{}.SwaggerDoc()["minReplicas"]),
		column("MaxPods", "string", autoscalingv2.HorizontalPodAutoscalerSpec{}.SwaggerDoc()["maxReplicas"]),
		column("Replicas", "string", autoscalingv2.HorizontalPodAutoscalerStatus{}.SwaggerDoc()["currentReplicas"]),
		ageColumn,
	},
	Row: prints(func(a *autoscalingv2.HorizontalPodAutoscaler) []any {
		least := "<unset>"
		if a.Spec.MinReplicas != nil {
			least = fmt.Sprint(*a.Spec.MinReplicas)
		}
		return []any{
			a.Name, a.Spec.ScaleTargetRef.Kind + "/" + a.Spec.ScaleTargetRef.Name, autoscalerTargets(a), least,
			int64(a.Spec.MaxReplicas), int64(a.Status.CurrentReplicas), age(a),
		}
	}),
}

func autoscaling(name string) schema.GroupVersionKind {
	return autoscalingv2.SchemeGroupVersion.WithKind(name)
}

func autoscalerParts(a *autoscalingv2.HorizontalPodAutoscaler) (*autoscalingv2.HorizontalPodAutoscalerSpec, *autoscalingv2.HorizontalPodAutoscalerStatus) {
	return &a.Spec, &a.Status
}

// defaultUtilization is how much of the requested processor time pods should use, in percent, where nothing is said.
const defaultUtilization = 80

func defaultAutoscaler(a *autoscalingv2.HorizontalPodAutoscaler) {
	setDefault(&a.Spec.MinReplicas, 1)
	if len(a.Spec.Metrics) == 0 {
		a.Spec.Metrics = []autoscalingv2.MetricSpec{cpuUtilization(defaultUtilization)}
	}
	if b := a.Spec.Behavior; b != nil {
		b.ScaleUp = defaultScaling(b.ScaleUp, ptr.To[int32](0),
			autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PodsScalingPolicy, Value: 4, PeriodSeconds: 15},
			autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15})
		b.ScaleDown = defaultScaling(b.ScaleDown, nil,
			autoscalingv2.HPAScalingPolicy{Type: autoscalingv2.PercentScalingPolicy, Value: 100, PeriodSeconds: 15})
	}
}

func cpuUtilization(percent int32) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{
		Type: autoscalingv2.ResourceMetricSourceType,
		Resource: &autoscalingv2.ResourceMetricSource{
			Name:   corev1.ResourceCPU,
			Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &percent},
		},
	}
}

// defaultScaling fills in how fast to scale in one direction. Without a window, that of the controller counts.
func defaultScaling(r *autoscalingv2.HPAScalingRules, window *int32, policies ...autoscalingv2.HPAScalingPolicy) *autoscalingv2.HPAScalingRules {
	if r == nil {
		r = &autoscalingv2.HPAScalingRules{}
	}
	if r.StabilizationWindowSeconds == nil {
		r.StabilizationWindowSeconds = window
	}
	setDefault(&r.SelectPolicy, autoscalingv2.MaxChangePolicySelect)
	if r.Policies == nil {
		r.Policies = policies
	}
	return r
}
