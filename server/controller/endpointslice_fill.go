package controller

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

// planGroup distributes the endpoints with the same ports over slices. Each stays in the slice that it is in. The others
// go into slices that change anyway, the fullest first; then into the one that they fill best; then into new ones.
func planGroup(s *corev1.Service, family corev1.IPFamily, group *portGroup) slicePlan {
	var plan slicePlan
	var kept []*discoveryv1.EndpointSlice
	labels := sliceLabels(s)
	for _, old := range group.current {
		updated, changed := keepWanted(old, group.wanted)
		switch {
		case len(updated.Endpoints) == 0:
			plan.remove = append(plan.remove, old)
		case changed || !maps.Equal(old.Labels, labels):
			updated.Labels = labels
			plan.update = append(plan.update, updated)
		default:
			kept = append(kept, old)
		}
	}
	rest := make([]discoveryv1.Endpoint, 0, len(group.wanted))
	for _, key := range slices.Sorted(maps.Keys(group.wanted)) {
		rest = append(rest, group.wanted[key])
	}
	slices.SortStableFunc(plan.update, func(a, b *discoveryv1.EndpointSlice) int {
		return cmp.Compare(len(b.Endpoints), len(a.Endpoints))
	})
	for _, updated := range plan.update {
		rest = fill(updated, rest)
	}
	for len(rest) > 0 {
		if best := bestFit(kept, len(rest)); best != nil {
			updated := best.DeepCopy()
			rest = fill(updated, rest)
			plan.update = append(plan.update, updated)
			continue
		}
		made := newSlice(s, family, group.ports)
		rest = fill(made, rest)
		plan.create = append(plan.create, made)
	}
	return plan
}

// keepWanted is a copy of a slice with those of its endpoints that are wanted, as they are now; it takes them out of what is wanted.
func keepWanted(old *discoveryv1.EndpointSlice, wanted map[string]discoveryv1.Endpoint) (updated *discoveryv1.EndpointSlice, changed bool) {
	updated = old.DeepCopy()
	updated.Endpoints = nil
	for i := range old.Endpoints {
		is := &old.Endpoints[i]
		now, ok := wanted[endpointKey(is)]
		if !ok {
			changed = true
			continue
		}
		delete(wanted, endpointKey(is))
		if !sameEndpoint(is, &now) {
			changed = true
		}
		now.Hints = is.Hints
		updated.Endpoints = append(updated.Endpoints, now)
	}
	return updated, changed
}

// fill puts as many endpoints into a slice as it takes, and returns the others.
func fill(s *discoveryv1.EndpointSlice, endpoints []discoveryv1.Endpoint) []discoveryv1.Endpoint {
	n := min(max(maxSliceEndpoints-len(s.Endpoints), 0), len(endpoints))
	s.Endpoints = append(s.Endpoints, endpoints[:n]...)
	return endpoints[n:]
}

// bestFit is the slice in which the least room is left when it takes so many more, or nil when none takes them.
func bestFit(list []*discoveryv1.EndpointSlice, more int) *discoveryv1.EndpointSlice {
	var best *discoveryv1.EndpointSlice
	for _, s := range list {
		if n := len(s.Endpoints); n+more <= maxSliceEndpoints && (best == nil || n > len(best.Endpoints)) {
			best = s
		}
	}
	return best
}
