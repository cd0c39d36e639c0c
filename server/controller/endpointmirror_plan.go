package controller

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

// mirrorController is who manages mirrors, as discoveryv1.LabelManagedBy tells.
const mirrorController = "endpointslicemirroring-controller.k8s.io"

// maxMirrored is how many addresses of one set of ports are mirrored: one slice takes them all.
const maxMirrored = 1000

// planMirror compares Endpoints with their mirrors: one slice for each set of ports and family of addresses.
func planMirror(e *endpointsObject, old []*discoveryv1.EndpointSlice) (slicePlan, []plannedEvent) {
	wanted, told := mirrorsOf(e)
	var plan slicePlan
	for _, s := range old {
		key := mirrorKey(s)
		want := wanted[key]
		if want == nil {
			plan.remove = append(plan.remove, s)
			continue
		}
		delete(wanted, key)
		if sameMirror(s, want) {
			continue
		}
		updated := s.DeepCopy()
		updated.Labels, updated.Annotations, updated.Endpoints = want.Labels, want.Annotations, want.Endpoints
		plan.update = append(plan.update, updated)
	}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		plan.create = append(plan.create, wanted[key])
	}
	return plan, told
}

func (p slicePlan) empty() bool { return len(p.create)+len(p.update)+len(p.remove) == 0 }

func mirrorKey(s *discoveryv1.EndpointSlice) string {
	return string(s.AddressType) + portsKey(s.Ports)
}

func sameMirror(a, b *discoveryv1.EndpointSlice) bool {
	return equality.Semantic.DeepEqual(a.Endpoints, b.Endpoints) && maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations)
}

// mirrorsOf are the slices that Endpoints should have, by mirrorKey, and what is left out of them.
func mirrorsOf(e *endpointsObject) (wanted map[string]*discoveryv1.EndpointSlice, told []plannedEvent) {
	wanted = map[string]*discoveryv1.EndpointSlice{}
	invalid, tooMany := 0, 0
	for _, subset := range e.Subsets {
		count := 0
		add := func(list []corev1.EndpointAddress, ready bool) {
			for i := range list {
				endpoint, family, ok := mirroredEndpoint(&list[i], ready)
				switch {
				case !ok:
					invalid++
				case count == maxMirrored:
					tooMany++
				default:
					count++
					addMirrored(wanted, e, subset.Ports, family, endpoint)
				}
			}
		}
		add(subset.Addresses, true)
		add(subset.NotReadyAddresses, false)
	}
	if invalid > 0 {
		told = append(told, plannedEvent{corev1.EventTypeWarning, "InvalidIPAddress",
			fmt.Sprintf("Skipped %d invalid IP addresses when mirroring to EndpointSlices", invalid)})
	}
	if tooMany > 0 {
		told = append(told, plannedEvent{corev1.EventTypeWarning, "TooManyAddressesToMirror", fmt.Sprintf(
			"A max of %d addresses can be mirrored to EndpointSlices per Endpoints subset. %d addresses were skipped", maxMirrored, invalid+tooMany)})
	}
	return wanted, told
}

func mirroredEndpoint(a *corev1.EndpointAddress, ready bool) (discoveryv1.Endpoint, discoveryv1.AddressType, bool) {
	addr, err := netip.ParseAddr(a.IP)
	if err != nil {
		return discoveryv1.Endpoint{}, "", false
	}
	endpoint := discoveryv1.Endpoint{
		Addresses:  []string{addr.String()},
		Conditions: discoveryv1.EndpointConditions{Ready: &ready},
		TargetRef:  a.TargetRef, NodeName: a.NodeName,
	}
	if a.Hostname != "" {
		endpoint.Hostname = &a.Hostname
	}
	if addr.Unmap().Is4() {
		return endpoint, discoveryv1.AddressTypeIPv4, true
	}
	return endpoint, discoveryv1.AddressTypeIPv6, true
}

// addMirrored puts an endpoint into the slice of its ports and family, unless it is there already.
func addMirrored(wanted map[string]*discoveryv1.EndpointSlice, e *endpointsObject, ports []corev1.EndpointPort, family discoveryv1.AddressType, endpoint discoveryv1.Endpoint) {
	s := newMirror(e, ports, family)
	if there := wanted[mirrorKey(s)]; there != nil {
		s = there
	}
	known := slices.ContainsFunc(s.Endpoints, func(other discoveryv1.Endpoint) bool { return endpointKey(&other) == endpointKey(&endpoint) })
	if !known && len(s.Endpoints) < maxMirrored {
		s.Endpoints = append(s.Endpoints, endpoint)
	}
	wanted[mirrorKey(s)] = s
}

// newMirror is an empty mirror. It has the labels and annotations of what it mirrors, but for those that tell its own story.
func newMirror(e *endpointsObject, ports []corev1.EndpointPort, family discoveryv1.AddressType) *discoveryv1.EndpointSlice {
	labels, annotations := cloned(e.Labels), cloned(e.Annotations)
	labels[discoveryv1.LabelServiceName], labels[discoveryv1.LabelManagedBy] = e.Name, mirrorController
	delete(annotations, corev1.EndpointsLastChangeTriggerTime)
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	prefix := e.Name + "-"
	if len(apivalidation.NameIsDNSSubdomain(prefix, true)) > 0 {
		prefix = e.Name
	}
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: e.Namespace, GenerateName: prefix, Labels: labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(e, kind.Endpoints.GroupVersionKind)},
		},
		AddressType: family,
		Ports:       []discoveryv1.EndpointPort{},
		Endpoints:   []discoveryv1.Endpoint{},
	}
	for _, p := range ports {
		s.Ports = append(s.Ports, discoveryv1.EndpointPort{Name: &p.Name, Port: &p.Port, Protocol: &p.Protocol, AppProtocol: p.AppProtocol})
	}
	return s
}
