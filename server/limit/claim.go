package limit

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// CheckClaim says what of a claim for storage is outside of a limit range.
func CheckClaim(lr *corev1.LimitRange, claim *corev1.PersistentVolumeClaim) []error {
	var errs []error
	asked := ask{requests: claim.Spec.Resources.Requests}
	for _, item := range lr.Spec.Limits {
		if item.Type != corev1.LimitTypePersistentVolumeClaim {
			continue
		}
		errs = append(errs, asked.within(corev1.LimitRangeItem{Type: item.Type, Min: item.Min})...)
		for _, name := range slices.Sorted(maps.Keys(item.Max)) {
			most, request := item.Max[name], asked.requests[name]
			bound := fmt.Sprintf("maximum %s usage per %s is %s", name, item.Type, most.String())
			if _, requested := asked.requests[name]; !requested {
				errs = append(errs, fmt.Errorf("%s.  No request is specified", bound))
			} else if request.Cmp(most) > 0 {
				errs = append(errs, fmt.Errorf("%s, but request is %s", bound, request.String()))
			}
		}
	}
	return errs
}
