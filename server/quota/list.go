package quota

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// one is the amount that a single object counts for.
func one() resource.Quantity { return *resource.NewQuantity(1, resource.DecimalSI) }

// add puts one list onto another, in place.
func add(sum, list corev1.ResourceList) {
	for name, quantity := range list {
		total := sum[name]
		total.Add(quantity)
		sum[name] = total
	}
}

// more is by how much a list exceeds another.
func more(list, than corev1.ResourceList) corev1.ResourceList {
	part := corev1.ResourceList{}
	for name, quantity := range list {
		difference := quantity.DeepCopy()
		difference.Sub(than[name])
		if difference.Sign() > 0 {
			part[name] = difference
		}
	}
	return part
}

// masked is the part of a list whose names another list has.
func masked(list, names corev1.ResourceList) corev1.ResourceList {
	part := make(corev1.ResourceList, len(names))
	for name := range names {
		if quantity, ok := list[name]; ok {
			part[name] = quantity
		}
	}
	return part
}

// Equal tells whether two lists have the same amounts of the same resources.
func Equal(a, b corev1.ResourceList) bool {
	return maps.EqualFunc(a, b, func(x, y resource.Quantity) bool { return x.Cmp(y) == 0 })
}

// text is a list in words: a=1,b=2.
func text(list corev1.ResourceList) string {
	parts := make([]string, 0, len(list))
	for _, name := range slices.Sorted(maps.Keys(list)) {
		quantity := list[name]
		parts = append(parts, string(name)+"="+quantity.String())
	}
	return strings.Join(parts, ",")
}

// names is the names of a list in words: a,b.
func names(list corev1.ResourceList) string {
	parts := make([]string, 0, len(list))
	for _, name := range slices.Sorted(maps.Keys(list)) {
		parts = append(parts, string(name))
	}
	return strings.Join(parts, ",")
}
