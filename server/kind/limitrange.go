package kind

import (
	corev1 "k8s.io/api/core/v1"
)

// LimitRange says how much the containers, pods and claims of a namespace ask for when they do not say, and may ask for.
var LimitRange = &Kind{
	GroupVersionKind: core("LimitRange"),
	Resource:         "limitranges",
	Singular:         "limitrange",
	ShortNames:       []string{"limits"},
	Namespaced:       true,
	New:              makes[corev1.LimitRange](),
	NewList:          makes[corev1.LimitRangeList](),

	CreateOnUpdate: true,

	Default:  changes(defaultLimitRange),
	Validate: validates(validateLimitRange),

	Columns: plainColumns,
	Row:     prints(func(lr *corev1.LimitRange) []any { return plainCells(lr) }),
}

func defaultLimitRange(lr *corev1.LimitRange) {
	for i := range lr.Spec.Limits {
		limit := &lr.Spec.Limits[i]
		for _, list := range []corev1.ResourceList{limit.Max, limit.Min, limit.Default, limit.DefaultRequest, limit.MaxLimitRequestRatio} {
			roundResources(list)
		}
		if limit.Type == corev1.LimitTypeContainer {
			limit.Default = withDefaults(limit.Default, limit.Max)
			limit.DefaultRequest = withDefaults(limit.DefaultRequest, limit.Default)
			limit.DefaultRequest = withDefaults(limit.DefaultRequest, limit.Min)
		}
	}
}

// withDefaults is a list with what only the other has.
func withDefaults(list, other corev1.ResourceList) corev1.ResourceList {
	if list == nil {
		list = corev1.ResourceList{}
	}
	for name, quantity := range other {
		if _, stated := list[name]; !stated {
			list[name] = quantity.DeepCopy()
		}
	}
	return list
}
