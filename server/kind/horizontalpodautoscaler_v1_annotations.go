package kind

import (
	"encoding/json"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// annotator keeps what has no field in annotations, as JSON.
type annotator struct{ meta *metav1.ObjectMeta }

func (a annotator) set(name string, value any, there bool) {
	if !there {
		return
	}
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err) // API types
	}
	if a.meta.Annotations == nil {
		a.meta.Annotations = map[string]string{}
	}
	a.meta.Annotations[name] = string(raw)
}

// annotated reads back what an annotation keeps. What somebody has made unreadable says nothing.
func annotated[T any](obj metav1.Object, name string) (value T) {
	raw, ok := obj.GetAnnotations()[name]
	if !ok {
		return value
	}
	var read T
	if json.Unmarshal([]byte(raw), &read) != nil {
		return value
	}
	return read
}

// storedBehavior is a behavior as the annotation has it: with the names of Kubernetes' own, inner type.
type storedBehavior struct {
	ScaleUp   *storedScaling
	ScaleDown *storedScaling
}

type storedScaling struct {
	StabilizationWindowSeconds *int32
	SelectPolicy               *autoscalingv2.ScalingPolicySelect
	Policies                   []storedScalingPolicy
	Tolerance                  *resource.Quantity
}

type storedScalingPolicy struct {
	Type          autoscalingv2.HPAScalingPolicyType
	Value         int32
	PeriodSeconds int32
}

func toStoredBehavior(b *autoscalingv2.HorizontalPodAutoscalerBehavior) *storedBehavior {
	if b == nil {
		return nil
	}
	return &storedBehavior{ScaleUp: toStoredScaling(b.ScaleUp), ScaleDown: toStoredScaling(b.ScaleDown)}
}

func toStoredScaling(r *autoscalingv2.HPAScalingRules) *storedScaling {
	if r == nil {
		return nil
	}
	s := &storedScaling{StabilizationWindowSeconds: r.StabilizationWindowSeconds, SelectPolicy: r.SelectPolicy, Tolerance: r.Tolerance}
	for _, p := range r.Policies {
		s.Policies = append(s.Policies, storedScalingPolicy(p))
	}
	return s
}

func fromStoredBehavior(b *storedBehavior) *autoscalingv2.HorizontalPodAutoscalerBehavior {
	if b == nil || b.ScaleUp == nil && b.ScaleDown == nil {
		return nil
	}
	return &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: fromStoredScaling(b.ScaleUp), ScaleDown: fromStoredScaling(b.ScaleDown)}
}

func fromStoredScaling(s *storedScaling) *autoscalingv2.HPAScalingRules {
	if s == nil {
		return nil
	}
	r := &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: s.StabilizationWindowSeconds, SelectPolicy: s.SelectPolicy, Tolerance: s.Tolerance}
	for _, p := range s.Policies {
		r.Policies = append(r.Policies, autoscalingv2.HPAScalingPolicy(p))
	}
	return r
}
