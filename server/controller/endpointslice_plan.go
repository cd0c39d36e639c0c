package controller

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
)

// maxSliceEndpoints is how many endpoints a slice takes.
const maxSliceEndpoints = 100

// sliceState is what the slices of a service are planned from.
type sliceState struct {
	service *corev1.Service
	pods    []*corev1.Pod // that it selects
	nodes   map[string]*corev1.Node
	slices  []*discoveryv1.EndpointSlice // that there are
}

// slicePlan is what brings a service's slices to its pods. What is to be written is the plan's own.
type slicePlan struct {
	create, update, remove []*discoveryv1.EndpointSlice
	missing                []string // pods that are left out because their node is not known
}

func (p slicePlan) String() string {
	var parts []string
	for _, s := range p.create {
		parts = append(parts, "create "+sliceText(s))
	}
	for _, s := range p.update {
		parts = append(parts, "update "+s.Name+" "+sliceText(s))
	}
	for _, s := range p.remove {
		parts = append(parts, "delete "+s.Name)
	}
	for _, name := range p.missing {
		parts = append(parts, "leave out "+name)
	}
	return strings.Join(parts, ", ")
}

func sliceText(s *discoveryv1.EndpointSlice) string {
	var addresses []string
	for _, e := range s.Endpoints {
		addresses = append(addresses, e.Addresses[0])
	}
	return fmt.Sprintf("%s[%s]", s.AddressType, strings.Join(addresses, " "))
}

// planSlices changes as few slices as it can: endpoints stay where they are, new ones go where there is room.
func planSlices(state sliceState) slicePlan {
	var plan slicePlan
	for _, family := range state.service.Spec.IPFamilies {
		plan.add(planFamily(state, family))
	}
	for _, s := range state.slices {
		if !slices.Contains(state.service.Spec.IPFamilies, corev1.IPFamily(s.AddressType)) {
			plan.remove = append(plan.remove, s)
		}
	}
	slices.Sort(plan.missing)
	plan.missing = slices.Compact(plan.missing)
	plan.tell(state)
	return plan
}

func (p *slicePlan) add(other slicePlan) {
	p.create = append(p.create, other.create...)
	p.update = append(p.update, other.update...)
	p.remove = append(p.remove, other.remove...)
	p.missing = append(p.missing, other.missing...)
}

// tell writes into every slice that changes when the first of the changes happened.
func (p *slicePlan) tell(state sliceState) {
	var since time.Time
	for _, s := range state.slices {
		if at := lastTrigger(s.Annotations); at.After(since) {
			since = at
		}
	}
	at := triggerTime(state.service, state.pods, since)
	for _, s := range slices.Concat(p.create, p.update) {
		s.Annotations = withTrigger(s.Annotations, at)
	}
}

// portGroup is the endpoints with the same ports, which share slices.
type portGroup struct {
	ports   []discoveryv1.EndpointPort
	wanted  map[string]discoveryv1.Endpoint // by address and pod
	current []*discoveryv1.EndpointSlice
}

func planFamily(state sliceState, family corev1.IPFamily) slicePlan {
	groups, missing := groupEndpoints(state, family)
	plan := slicePlan{missing: missing}
	count := 0
	for _, s := range state.slices {
		if corev1.IPFamily(s.AddressType) != family {
			continue
		}
		count++
		group := groups[portsKey(s.Ports)]
		if group == nil || !metav1.IsControlledBy(s, state.service) {
			plan.remove = append(plan.remove, s)
			continue
		}
		group.current = append(group.current, s)
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		plan.add(planGroup(state.service, family, groups[key]))
	}
	if count == len(plan.remove) && len(plan.create) == 0 {
		plan.placeholder(state.service, family)
	}
	plan.reuse(state.service)
	hint(state, family, &plan)
	return plan
}

// groupEndpoints lists a service's endpoints of a family, and the pods that are not among them for want of their node.
func groupEndpoints(state sliceState, family corev1.IPFamily) (groups map[string]*portGroup, missing []string) {
	groups = map[string]*portGroup{}
	for _, p := range state.pods {
		if !endpointCandidate(p, true) {
			continue
		}
		node := state.nodes[p.Spec.NodeName]
		if node == nil && !state.service.Spec.PublishNotReadyAddresses {
			missing = append(missing, p.Name)
			continue
		}
		ports := endpointPorts(state.service, p)
		key := portsKey(ports)
		if groups[key] == nil {
			groups[key] = &portGroup{ports: ports, wanted: map[string]discoveryv1.Endpoint{}}
		}
		if e := endpointOf(state.service, p, node, family); len(e.Addresses) > 0 {
			groups[key].wanted[endpointKey(&e)] = e
		}
	}
	return groups, missing
}

// endpointOf is a pod as an endpoint. It is ready only while it serves and nobody wants it gone, unless the service asks
// for all; that it still serves while it ends is said apart.
func endpointOf(s *corev1.Service, p *corev1.Pod, node *corev1.Node, family corev1.IPFamily) discoveryv1.Endpoint {
	_, serving := podReady(p)
	terminating := p.DeletionTimestamp != nil
	ready := s.Spec.PublishNotReadyAddresses || serving && !terminating
	e := discoveryv1.Endpoint{
		Addresses:  podAddresses(p, family),
		Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &serving, Terminating: &terminating},
		TargetRef:  targetOf(p),
	}
	if p.Spec.NodeName != "" {
		e.NodeName = new(p.Spec.NodeName)
	}
	if node != nil && node.Labels[corev1.LabelTopologyZone] != "" {
		e.Zone = new(node.Labels[corev1.LabelTopologyZone])
	}
	if hostname := servesHostname(s, p); hostname != "" {
		e.Hostname = &hostname
	}
	return e
}

// endpointKey tells endpoints apart: by address, pod and host name.
func endpointKey(e *discoveryv1.Endpoint) string {
	key := strings.Join(e.Addresses, ",")
	if e.TargetRef != nil {
		key += "/" + string(e.TargetRef.UID)
	}
	if e.Hostname != nil {
		key += "/" + *e.Hostname
	}
	return key
}

func portsKey(ports []discoveryv1.EndpointPort) string {
	if len(ports) == 0 {
		return ""
	}
	key, err := json.Marshal(ports)
	if err != nil {
		panic(err) // they are plain values
	}
	return string(key)
}

// newSlice is an empty slice of a service.
func newSlice(s *corev1.Service, family corev1.IPFamily, ports []discoveryv1.EndpointPort) *discoveryv1.EndpointSlice {
	prefix := s.Name + "-"
	if len(apivalidation.NameIsDNSSubdomain(prefix, true)) > 0 {
		prefix = s.Name
	}
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, GenerateName: prefix, Labels: sliceLabels(s),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s, kind.Service.GroupVersionKind)},
		},
		AddressType: discoveryv1.AddressType(family),
		Ports:       ports,
		Endpoints:   []discoveryv1.Endpoint{},
	}
}

// sliceLabels are a service's own, and those that say whose the slice is.
func sliceLabels(s *corev1.Service) map[string]string {
	all := make(map[string]string, len(s.Labels)+3)
	maps.Copy(all, s.Labels)
	delete(all, corev1.IsHeadlessService)
	if s.Spec.ClusterIP == "" || s.Spec.ClusterIP == corev1.ClusterIPNone {
		all[corev1.IsHeadlessService] = ""
	}
	all[discoveryv1.LabelServiceName] = s.Name
	all[discoveryv1.LabelManagedBy] = kind.EndpointSliceController
	return all
}

// placeholder keeps one empty slice for a service without endpoints: its clients learn that there are none.
func (p *slicePlan) placeholder(s *corev1.Service, family corev1.IPFamily) {
	empty := newSlice(s, family, []discoveryv1.EndpointPort{})
	if len(p.remove) == 1 {
		is := p.remove[0]
		if len(is.Endpoints) == 0 && len(is.Ports) == 0 && maps.Equal(is.Labels, empty.Labels) && metav1.IsControlledBy(is, s) {
			p.remove = nil
			return
		}
	}
	p.create = append(p.create, empty)
}

// reuse turns a slice that would go into one that would be made: one write instead of two.
func (p *slicePlan) reuse(s *corev1.Service) {
	p.remove = slices.DeleteFunc(p.remove, func(old *discoveryv1.EndpointSlice) bool {
		if len(p.create) == 0 || !metav1.IsControlledBy(old, s) {
			return false
		}
		last := len(p.create) - 1
		updated := old.DeepCopy()
		updated.Labels, updated.Ports, updated.Endpoints = p.create[last].Labels, p.create[last].Ports, p.create[last].Endpoints
		p.update, p.create = append(p.update, updated), p.create[:last]
		return true
	})
}

// sameEndpoint compares what an endpoint says of itself. Hints are compared by those who give them.
func sameEndpoint(a, b *discoveryv1.Endpoint) bool {
	x, y := *a, *b
	x.Hints, y.Hints = nil, nil
	return equality.Semantic.DeepEqual(x, y)
}
