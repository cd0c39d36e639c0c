package controller

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"
)

// hint tells for whom each endpoint is meant, where the service prefers those near its clients, and also changes slices
// of a family for that alone.
func hint(state sliceState, family corev1.IPFamily, plan *slicePlan) {
	near := ptr.Deref(state.service.Spec.TrafficDistribution, "")
	changing := slices.Concat(plan.create, plan.update)
	for _, s := range changing {
		setHints(s.Endpoints, near)
	}
	planned := func(s *discoveryv1.EndpointSlice) bool {
		same := func(other *discoveryv1.EndpointSlice) bool { return other.Name == s.Name }
		return slices.ContainsFunc(plan.update, same) || slices.ContainsFunc(plan.remove, same)
	}
	for _, s := range state.slices {
		if corev1.IPFamily(s.AddressType) != family || planned(s) {
			continue
		}
		hinted := s.DeepCopy()
		if setHints(hinted.Endpoints, near); !equality.Semantic.DeepEqual(hinted.Endpoints, s.Endpoints) {
			plan.update = append(plan.update, hinted)
		}
	}
}

// setHints means each endpoint that is ready for its own zone, and with PreferSameNode for its own node.
func setHints(endpoints []discoveryv1.Endpoint, near string) {
	for i := range endpoints {
		endpoints[i].Hints = hintsFor(&endpoints[i], near)
	}
}

func hintsFor(e *discoveryv1.Endpoint, near string) *discoveryv1.EndpointHints {
	switch near {
	case corev1.ServiceTrafficDistributionPreferClose, corev1.ServiceTrafficDistributionPreferSameZone, corev1.ServiceTrafficDistributionPreferSameNode:
	default:
		return nil
	}
	if !ptr.Deref(e.Conditions.Ready, false) {
		return nil
	}
	var h discoveryv1.EndpointHints
	if e.Zone != nil {
		h.ForZones = []discoveryv1.ForZone{{Name: *e.Zone}}
	}
	if e.NodeName != nil && near == corev1.ServiceTrafficDistributionPreferSameNode {
		h.ForNodes = []discoveryv1.ForNode{{Name: *e.NodeName}}
	}
	if h.ForZones == nil && h.ForNodes == nil {
		return nil
	}
	return &h
}
