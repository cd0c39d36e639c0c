package quota

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Concerns tells whether a quota limits an object.
func Concerns(q *corev1.ResourceQuota, gr schema.GroupResource, obj runtime.Object) bool {
	return len(measured(gr, q.Status.Hard)) > 0 && inScope(q, gr, obj)
}

// Charge returns what is used once an object has been made. An error says why it may not be: it exceeds the quota, or
// does not say how much it wants, or what is used is not known yet.
func Charge(q *corev1.ResourceQuota, gr schema.GroupResource, obj runtime.Object, now time.Time) (corev1.ResourceList, error) {
	limited := measured(gr, q.Status.Hard)
	if pod, ok := obj.(*corev1.Pod); ok {
		if err := unstated(pod, limited); err != nil {
			return nil, fmt.Errorf("failed quota: %s: %w", q.Name, err)
		}
	}
	for name := range limited {
		if _, known := q.Status.Used[name]; !known {
			return nil, fmt.Errorf("status unknown for quota: %s, resources: %s", q.Name, names(limited))
		}
	}
	return charge(q, masked(usage(gr, obj, now), limited))
}

// ChargeMore returns what is used once an object has changed. What it takes less is left for the next count.
func ChargeMore(q *corev1.ResourceQuota, gr schema.GroupResource, obj, old runtime.Object, now time.Time) (corev1.ResourceList, error) {
	limited := measured(gr, q.Status.Hard)
	more := more(masked(usage(gr, obj, now), limited), usage(gr, old, now))
	for name := range more {
		if _, known := q.Status.Used[name]; !known {
			return nil, fmt.Errorf("status unknown for quota: %s, resources: %s", q.Name, names(more))
		}
	}
	return charge(q, more)
}

func charge(q *corev1.ResourceQuota, wanted corev1.ResourceList) (corev1.ResourceList, error) {
	used := q.Status.Used.DeepCopy()
	add(used, wanted)
	if over := exceeded(used, wanted, q.Status.Hard); len(over) > 0 {
		return nil, fmt.Errorf("exceeded quota: %s, requested: %s, used: %s, limited: %s",
			q.Name, text(masked(wanted, over)), text(masked(q.Status.Used, over)), text(over))
	}
	return used, nil
}

// exceeded are the limits that would be passed by what is wanted.
func exceeded(used, wanted, hard corev1.ResourceList) corev1.ResourceList {
	over := corev1.ResourceList{}
	for name, quantity := range wanted {
		total, limit := used[name], hard[name]
		if quantity.Sign() > 0 && total.Cmp(limit) > 0 {
			over[name] = limit
		}
	}
	return over
}

// Total is how much of a quota is used by all that there is, of each resource that the quota limits and the server
// knows. list calls a function for each object of a resource in the quota's namespace; it returns false for a resource
// that it does not know.
func Total(q *corev1.ResourceQuota, list func(schema.GroupResource, func(runtime.Object)) bool, now time.Time) corev1.ResourceList {
	total := corev1.ResourceList{}
	seen := map[schema.GroupResource]bool{}
	for name := range q.Spec.Hard {
		gr, ok := resourceOf(name)
		if !ok || seen[gr] {
			continue
		}
		seen[gr] = true
		limited, sum := measured(gr, q.Spec.Hard), corev1.ResourceList{}
		known := list(gr, func(obj runtime.Object) {
			if inScope(q, gr, obj) {
				add(sum, masked(usage(gr, obj, now), limited))
			}
		})
		for name := range limited {
			if known {
				total[name] = sum[name]
			}
		}
	}
	return total
}
