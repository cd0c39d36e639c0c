package controller

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

// These types are deprecated, and all the same a part of the API.
type (
	endpointsObject = corev1.Endpoints      //nolint:staticcheck // see above
	endpointSubset  = corev1.EndpointSubset //nolint:staticcheck // see above
)

// maxEndpoints is how many addresses Endpoints list; services with more need EndpointSlices.
const maxEndpoints = 1000

// planEndpoints is what the Endpoints of a service with a selector should be, or nil when they are that. old is nil when
// there are none yet.
func planEndpoints(s *corev1.Service, pods []*corev1.Pod, old *endpointsObject) *endpointsObject {
	want := &endpointsObject{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name}}
	var since time.Time
	if old != nil {
		want, since = old.DeepCopy(), lastTrigger(old.Annotations)
	}
	want.Subsets = subsetsOf(s, pods)
	want.Labels = endpointsLabels(s)
	want.Annotations = overCapacity(want.Annotations, truncate(want.Subsets))
	if old != nil && equality.Semantic.DeepEqual(old.Subsets, want.Subsets) && maps.Equal(old.Labels, want.Labels) &&
		maps.Equal(old.Annotations, want.Annotations) {
		return nil
	}
	want.Annotations = withTrigger(want.Annotations, triggerTime(s, pods, since))
	return want
}

func endpointsLabels(s *corev1.Service) map[string]string {
	all := sliceLabels(s)
	delete(all, discoveryv1.LabelServiceName)
	delete(all, discoveryv1.LabelManagedBy)
	all[kind.EndpointsManagedBy] = kind.EndpointsController
	return all
}

func overCapacity(annotations map[string]string, truncated bool) map[string]string {
	told := maps.Clone(annotations)
	delete(told, corev1.EndpointsOverCapacity)
	if truncated {
		metadata := metav1.ObjectMeta{Annotations: told}
		metav1.SetMetaDataAnnotation(&metadata, corev1.EndpointsOverCapacity, "truncated")
		told = metadata.Annotations
	}
	return told
}

// subsetsOf lists a service's endpoints by their ports, those that are ready apart.
func subsetsOf(s *corev1.Service, pods []*corev1.Pod) []endpointSubset {
	byPorts := map[string]*endpointSubset{}
	for _, p := range pods {
		ready, listed := listedIn(s, p)
		address, ok := addressOfPod(s, p)
		ports := endpointPorts(s, p)
		portless := kind.Headless(s) && len(s.Spec.Ports) == 0
		if !listed || !ok || len(ports) == 0 && !portless {
			continue
		}
		key := portsKey(ports)
		subset := byPorts[key]
		if subset == nil {
			subset = &endpointSubset{Ports: listedPorts(ports)}
			byPorts[key] = subset
		}
		if ready {
			subset.Addresses = append(subset.Addresses, address)
		} else {
			subset.NotReadyAddresses = append(subset.NotReadyAddresses, address)
		}
	}
	var subsets []endpointSubset
	for _, key := range slices.Sorted(maps.Keys(byPorts)) {
		subset := byPorts[key]
		slices.SortFunc(subset.Addresses, byAddress)
		slices.SortFunc(subset.NotReadyAddresses, byAddress)
		subsets = append(subsets, *subset)
	}
	return subsets
}

// listedIn tells whether a pod is listed for a service, and whether as ready. A pod that has ended for good, or is on its
// way out, is not, unless the service asks for all.
func listedIn(s *corev1.Service, p *corev1.Pod) (ready, listed bool) {
	all := s.Spec.PublishNotReadyAddresses
	if !endpointCandidate(p, all) {
		return false, false
	}
	_, ready = podReady(p)
	return ready || all, true
}

// addressOfPod is a pod's address of the service's first family.
func addressOfPod(s *corev1.Service, p *corev1.Pod) (corev1.EndpointAddress, bool) {
	family := corev1.IPv4Protocol
	if len(s.Spec.IPFamilies) > 0 {
		family = s.Spec.IPFamilies[0]
	}
	addresses := podAddresses(p, family)
	if len(addresses) == 0 {
		return corev1.EndpointAddress{}, false
	}
	address := corev1.EndpointAddress{IP: addresses[0], Hostname: servesHostname(s, p), TargetRef: targetOf(p)}
	if p.Spec.NodeName != "" {
		address.NodeName = new(p.Spec.NodeName)
	}
	return address, true
}

func listedPorts(ports []discoveryv1.EndpointPort) []corev1.EndpointPort {
	var listed []corev1.EndpointPort
	for _, p := range ports {
		listed = append(listed, corev1.EndpointPort{Name: *p.Name, Port: *p.Port, Protocol: *p.Protocol, AppProtocol: p.AppProtocol})
	}
	return listed
}

func byAddress(a, b corev1.EndpointAddress) int {
	return cmp.Or(strings.Compare(a.IP, b.IP), strings.Compare(string(a.TargetRef.UID), string(b.TargetRef.UID)))
}

// truncate keeps the first addresses of subsets, ready ones before others, and tells whether there were more.
func truncate(subsets []endpointSubset) bool {
	left, more := maxEndpoints, false
	keep := func(addresses []corev1.EndpointAddress) []corev1.EndpointAddress {
		n := min(left, len(addresses))
		left -= n
		more = more || n < len(addresses)
		return addresses[:n]
	}
	for i := range subsets {
		subsets[i].Addresses = keep(subsets[i].Addresses)
	}
	for i := range subsets {
		subsets[i].NotReadyAddresses = keep(subsets[i].NotReadyAddresses)
	}
	return more
}
