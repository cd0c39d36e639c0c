package kind

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
)

// amounts are cpu and memory; empty ones are left out.
func amounts(cpu, memory string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for name, text := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory} {
		if text != "" {
			list[name] = resource.MustParse(text)
		}
	}
	return list
}

func TestDefaultLimitRange(t *testing.T) {
	lr := &corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{
		{Type: corev1.LimitTypeContainer, Max: amounts("2", ""), Min: amounts("", "64Mi")},
		{Type: corev1.LimitTypePod, Max: amounts("4", "")},
	}}}
	LimitRange.Default(lr)
	container, pod := lr.Spec.Limits[0], lr.Spec.Limits[1]
	if !equality.Semantic.DeepEqual(container.Default, amounts("2", "")) || !equality.Semantic.DeepEqual(container.DefaultRequest, amounts("2", "64Mi")) {
		t.Errorf("a container's defaults are %v, %v", container.Default, container.DefaultRequest)
	}
	if pod.Default != nil || pod.DefaultRequest != nil {
		t.Errorf("a pod has defaults %v, %v", pod.Default, pod.DefaultRequest)
	}
}

func TestValidateLimitRange(t *testing.T) {
	type limits = *corev1.LimitRange
	base := func() limits {
		return &corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer,
			Min:  amounts("100m", ""), DefaultRequest: amounts("200m", ""), Default: amounts("500m", ""), Max: amounts("1", ""),
			MaxLimitRequestRatio: amounts("4", ""),
		}}}}
	}
	item := func(mutate func(*corev1.LimitRangeItem)) func(limits) {
		return func(lr limits) { mutate(&lr.Spec.Limits[0]) }
	}
	at := "spec.limits[0]."
	checkChanges(t, LimitRange, base, []change[limits]{
		{"no type", item(func(i *corev1.LimitRangeItem) { i.Type = "" }), []string{at + "type" + isInvalid, at + "type" + isInvalid}},
		{"unknown type", item(func(i *corev1.LimitRangeItem) { i.Type = "Volume" }), []string{at + "type" + isInvalid}},
		{"type twice", func(lr limits) { lr.Spec.Limits = append(lr.Spec.Limits, lr.Spec.Limits[0]) }, []string{"spec.limits[1].type" + isDuplicate}},
		{"defaults of pods", item(func(i *corev1.LimitRangeItem) { i.Type = corev1.LimitTypePod }),
			[]string{at + "default" + isForbidden, at + "defaultRequest" + isForbidden}},
		{"unknown resource", item(func(i *corev1.LimitRangeItem) { i.Max["disk"] = resource.MustParse("1") }),
			[]string{at + "max[disk]" + isInvalid, at + "max[disk]" + isInvalid}},
		{"least above most", item(func(i *corev1.LimitRangeItem) { i.Min = amounts("2", "") }),
			[]string{at + "min[cpu]" + isInvalid, at + "defaultRequest[cpu]" + isInvalid, at + "default[cpu]" + isInvalid, at + "maxLimitRequestRatio[cpu]" + isInvalid}},
		{"request above limit", item(func(i *corev1.LimitRangeItem) { i.DefaultRequest = amounts("600m", "") }), []string{at + "defaultRequest[cpu]" + isInvalid}},
		{"limit above most", item(func(i *corev1.LimitRangeItem) { i.Default = amounts("3", "") }), []string{at + "default[cpu]" + isInvalid}},
		{"ratio under one", item(func(i *corev1.LimitRangeItem) { i.MaxLimitRequestRatio = amounts("500m", "") }), []string{at + "maxLimitRequestRatio[cpu]" + isInvalid}},
		{"ratio beyond the bounds", item(func(i *corev1.LimitRangeItem) { i.MaxLimitRequestRatio = amounts("11", "") }), []string{at + "maxLimitRequestRatio[cpu]" + isInvalid}},
		{"a claim without storage", func(lr limits) {
			lr.Spec.Limits[0] = corev1.LimitRangeItem{Type: corev1.LimitTypePersistentVolumeClaim}
		}, []string{at + "limits" + isRequired}},
		{"a claim", func(lr limits) {
			lr.Spec.Limits[0] = corev1.LimitRangeItem{Type: corev1.LimitTypePersistentVolumeClaim, Max: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}}
		}, nil},
	})
}
