package limit

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	resourcehelper "k8s.io/component-helpers/resource"
)

// Check says what of a pod is outside of a limit range.
func Check(lr *corev1.LimitRange, pod *corev1.Pod) []error {
	var errs []error
	for _, item := range lr.Spec.Limits {
		switch item.Type {
		case corev1.LimitTypeContainer:
			for _, c := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
				errs = append(errs, ask{c.Resources.Requests, c.Resources.Limits}.within(item)...)
			}
		case corev1.LimitTypePod:
			o := resourcehelper.PodResourcesOptions{ExcludeOverhead: true}
			errs = append(errs, ask{resourcehelper.PodRequests(pod, o), resourcehelper.PodLimits(pod, o)}.within(item)...)
		}
	}
	return errs
}

// ask is what a container, or a pod, wants.
type ask struct{ requests, limits corev1.ResourceList }

// within compares with each bound of an item, in the order of their names.
func (a ask) within(item corev1.LimitRangeItem) []error {
	bounds := []struct {
		list  corev1.ResourceList
		check func(corev1.LimitType, corev1.ResourceName, resource.Quantity) error
	}{{item.Min, a.atLeast}, {item.Max, a.atMost}, {item.MaxLimitRequestRatio, a.inRatio}}
	var errs []error
	for _, bound := range bounds {
		for _, name := range slices.Sorted(maps.Keys(bound.list)) {
			if err := bound.check(item.Type, name, bound.list[name]); err != nil {
				errs = append(errs, err)
			}
		}
	}
	return errs
}

func (a ask) atLeast(t corev1.LimitType, name corev1.ResourceName, least resource.Quantity) error {
	request, requested := a.requests[name]
	limit, limited := a.limits[name]
	bound := fmt.Sprintf("minimum %s usage per %s is %s", name, t, least.String())
	switch {
	case !requested:
		return fmt.Errorf("%s.  No request is specified", bound)
	case request.Cmp(least) < 0:
		return fmt.Errorf("%s, but request is %s", bound, request.String())
	case limited && limit.Cmp(least) < 0:
		return fmt.Errorf("%s, but limit is %s", bound, limit.String())
	}
	return nil
}

func (a ask) atMost(t corev1.LimitType, name corev1.ResourceName, most resource.Quantity) error {
	request, requested := a.requests[name]
	limit, limited := a.limits[name]
	bound := fmt.Sprintf("maximum %s usage per %s is %s", name, t, most.String())
	switch {
	case !limited:
		return fmt.Errorf("%s.  No limit is specified", bound)
	case limit.Cmp(most) > 0:
		return fmt.Errorf("%s, but limit is %s", bound, limit.String())
	case requested && request.Cmp(most) > 0:
		return fmt.Errorf("%s, but request is %s", bound, request.String())
	}
	return nil
}

func (a ask) inRatio(t corev1.LimitType, name corev1.ResourceName, widest resource.Quantity) error {
	request, limit := a.requests[name], a.limits[name]
	bound := fmt.Sprintf("%s max limit to request ratio per %s is %s", name, t, widest.String())
	switch {
	case request.Sign() == 0:
		return fmt.Errorf("%s, but no request is specified or request is 0", bound)
	case limit.Sign() == 0:
		return fmt.Errorf("%s, but no limit is specified or limit is 0", bound)
	}
	var allowed resource.Quantity
	if limit.AsDec().Cmp(allowed.AsDec().Mul(request.AsDec(), widest.AsDec())) > 0 {
		return fmt.Errorf("%s, but provided ratio is %f", bound, limit.AsApproximateFloat64()/request.AsApproximateFloat64())
	}
	return nil
}
