package controller

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// sizes is how many replicas each ReplicaSet shall have, by name.
type sizes map[string]int32

func wanted(d *appsv1.Deployment) int32 { return ptr.Deref(d.Spec.Replicas, 1) }

func size(rs *appsv1.ReplicaSet) int32 { return ptr.Deref(rs.Spec.Replicas, 1) }

func total(sets []*appsv1.ReplicaSet) (spec, available int32) {
	for _, rs := range sets {
		spec += size(rs)
		available += rs.Status.AvailableReplicas
	}
	return spec, available
}

// surge and unavailable resolve the strategy's percentages: surge rounds up, unavailable down, and not both
// to 0, since nothing could move then.
func surge(d *appsv1.Deployment) int32 { s, _ := fenceposts(d); return s }

func unavailable(d *appsv1.Deployment) int32 { _, u := fenceposts(d); return u }

func fenceposts(d *appsv1.Deployment) (surge, unavailable int32) {
	r := d.Spec.Strategy.RollingUpdate
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType || r == nil || wanted(d) == 0 {
		return 0, 0
	}
	surge = resolve(r.MaxSurge, wanted(d), true)
	unavailable = resolve(r.MaxUnavailable, wanted(d), false)
	if surge == 0 && unavailable == 0 {
		unavailable = 1
	}
	return surge, min(unavailable, wanted(d))
}

func resolve(v *intstr.IntOrString, of int32, up bool) int32 {
	n, err := intstr.GetScaledValueFromIntOrPercent(intstr.ValueOrDefault(v, intstr.FromInt32(0)), int(of), up)
	if err != nil {
		return 0 // the API admits nothing else than numbers and percentages
	}
	return int32(n)
}

// rollingSizes makes one step from the old ReplicaSets towards the new one: up as far as the surge allows,
// then down as far as enough pods stay available.
func rollingSizes(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) sizes {
	oldSpec, oldAvailable := total(old)
	freshSize := size(fresh)
	all := oldSpec + freshSize
	switch {
	case freshSize > wanted(d):
		freshSize = wanted(d)
	case all < wanted(d)+surge(d):
		freshSize += min(wanted(d)+surge(d)-all, wanted(d)-freshSize)
	}
	next := sizes{fresh.Name: freshSize}
	if freshSize != size(fresh) {
		return next
	}
	least := wanted(d) - unavailable(d)
	notYet := freshSize - min(freshSize, fresh.Status.AvailableReplicas)
	down := all - least - notYet
	down -= shrinkUnhealthy(next, old, down)
	spare := min(down, oldAvailable+fresh.Status.AvailableReplicas-least)
	shrink(next, old, spare)
	return next
}

// shrinkUnhealthy takes away, of at most n, the old replicas that serve nobody: they can go at once.
func shrinkUnhealthy(next sizes, old []*appsv1.ReplicaSet, n int32) (taken int32) {
	for _, rs := range byAge(old) {
		unhealthy := max(0, size(rs)-rs.Status.AvailableReplicas)
		take := max(0, min(n-taken, unhealthy))
		next[rs.Name] = size(rs) - take
		taken += take
	}
	return taken
}

// shrink takes n more replicas away, the oldest ReplicaSet's first.
func shrink(next sizes, old []*appsv1.ReplicaSet, n int32) {
	for _, rs := range byAge(old) {
		take := max(0, min(n, next[rs.Name]))
		next[rs.Name] -= take
		n -= take
	}
}

// resized tells that the Deployment's replicas changed since its ReplicaSets were scaled.
func resized(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) bool {
	for _, rs := range sets {
		if desired, err := strconv.Atoi(rs.Annotations[desiredAnnotation]); err == nil && size(rs) > 0 && int32(desired) != wanted(d) {
			return true
		}
	}
	return false
}

// resize follows a change of the Deployment's replicas. In the middle of a rollout each ReplicaSet gets its
// share of the difference, so that a broken new version does not take all of it.
func resize(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) sizes {
	if only := soleActive(fresh, old); only != nil {
		return sizes{only.Name: wanted(d)}
	}
	next := sizes{}
	if fresh != nil && saturated(d, fresh) {
		for _, rs := range old {
			next[rs.Name] = 0
		}
		return next
	}
	if d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType {
		return next
	}
	active := slices.DeleteFunc(withFresh(fresh, old), func(rs *appsv1.ReplicaSet) bool { return size(rs) == 0 })
	return proportional(d, active)
}

func withFresh(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	all := slices.Clone(old)
	if fresh != nil {
		all = append(all, fresh)
	}
	return all
}

// soleActive returns the one ReplicaSet that has replicas, or the latest one where none has; nil for several.
func soleActive(fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) *appsv1.ReplicaSet {
	all := withFresh(fresh, old)
	active := slices.DeleteFunc(slices.Clone(all), func(rs *appsv1.ReplicaSet) bool { return size(rs) == 0 })
	switch {
	case len(active) == 1:
		return active[0]
	case len(active) > 1 || len(all) == 0:
		return nil
	case fresh != nil:
		return fresh
	}
	sorted := byAge(old)
	return sorted[len(sorted)-1]
}

// saturated tells that the new ReplicaSet alone does all that is asked for.
func saturated(d *appsv1.Deployment, rs *appsv1.ReplicaSet) bool {
	return size(rs) == wanted(d) && rs.Annotations[desiredAnnotation] == strconv.Itoa(int(wanted(d))) &&
		rs.Status.AvailableReplicas == wanted(d)
}

// proportional shares the replicas out; the largest gets what rounding leaves over, and of equals the
// youngest when there is more to have, the oldest when there is less.
func proportional(d *appsv1.Deployment, active []*appsv1.ReplicaSet) sizes {
	now, _ := total(active)
	allowed := int32(0)
	if wanted(d) > 0 {
		allowed = wanted(d) + surge(d)
	}
	more := allowed - now
	slices.SortFunc(active, func(a, b *appsv1.ReplicaSet) int {
		age := a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
		if more > 0 {
			age = -age
		}
		return cmp.Or(cmp.Compare(size(b), size(a)), age, cmp.Compare(a.Name, b.Name))
	})
	next, left := sizes{}, more
	for _, rs := range active {
		s := share(d, rs, left)
		next[rs.Name] = size(rs) + s
		left -= s
	}
	if len(active) > 0 && left != 0 {
		next[active[0].Name] = max(0, next[active[0].Name]+left)
	}
	return next
}

// share is a ReplicaSet's part of left, by what it was of the size that it was scaled for.
func share(d *appsv1.Deployment, rs *appsv1.ReplicaSet, left int32) int32 {
	if left == 0 {
		return 0
	}
	before, err := strconv.ParseInt(rs.Annotations[maxAnnotation], 10, 32)
	if err != nil || before == 0 {
		before = int64(max(1, rs.Status.Replicas))
	}
	target := math.Round(float64(size(rs)) * float64(wanted(d)+surge(d)) / float64(before))
	part := int32(target) - size(rs)
	if left > 0 {
		return max(0, min(part, left))
	}
	return min(0, max(part, left, -size(rs)))
}
