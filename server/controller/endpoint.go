package controller

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

// What makes a pod an endpoint of a service. EndpointSlices and, as they came before those, Endpoints list them.

// endpointCandidate tells a pod that may take traffic, or may have a moment ago: it has an address, and runs on.
func endpointCandidate(p *corev1.Pod, terminatingToo bool) bool {
	return !podFinished(p) && (p.Status.PodIP != "" || len(p.Status.PodIPs) > 0) && (terminatingToo || p.DeletionTimestamp == nil)
}

// endpointChanged tells whether a change of a pod matters to the services that select it; relabelled, that others may.
func endpointChanged(old, updated *corev1.Pod) (changed, relabelled bool) {
	relabelled = !labels.Equals(old.Labels, updated.Labels) ||
		old.Spec.Hostname != updated.Spec.Hostname || old.Spec.Subdomain != updated.Spec.Subdomain
	_, wasReady := podReady(old)
	_, ready := podReady(updated)
	changed = wasReady != ready || (old.DeletionTimestamp == nil) != (updated.DeletionTimestamp == nil) ||
		podFinished(old) != podFinished(updated) || old.Status.PodIP != updated.Status.PodIP ||
		!slices.Equal(old.Status.PodIPs, updated.Status.PodIPs) || old.Spec.NodeName != updated.Spec.NodeName
	return changed, relabelled
}

// selectsPod tells whether a service selects a pod. One without a selector selects none: somebody else lists its endpoints.
func selectsPod(s *corev1.Service, p *corev1.Pod) bool {
	return s.Spec.Selector != nil && labels.ValidatedSetSelector(s.Spec.Selector).Matches(labels.Set(p.Labels))
}

// podAddresses are a pod's addresses of a family, in their canonical form.
func podAddresses(p *corev1.Pod, family corev1.IPFamily) []string {
	var addresses []string
	for _, ip := range p.Status.PodIPs {
		if addr, err := netip.ParseAddr(ip.IP); err == nil && kind.FamilyOf(ip.IP) == family {
			addresses = append(addresses, addr.String())
		}
	}
	return addresses
}

// servesHostname is the name by which a headless service's DNS knows a pod that asks for one there.
func servesHostname(s *corev1.Service, p *corev1.Pod) string {
	if p.Spec.Subdomain != s.Name || p.Namespace != s.Namespace {
		return ""
	}
	return p.Spec.Hostname
}

func targetOf(p *corev1.Pod) *corev1.ObjectReference {
	return &corev1.ObjectReference{Kind: kind.Pod.Kind, Namespace: p.Namespace, Name: p.Name, UID: p.UID}
}

// endpointPorts are the ports of a service as a pod has them. A port whose name the pod does not know is left out.
func endpointPorts(s *corev1.Service, p *corev1.Pod) []discoveryv1.EndpointPort {
	ports := []discoveryv1.EndpointPort{}
	for _, port := range s.Spec.Ports {
		if number, ok := targetPort(p, port); ok {
			ports = append(ports, discoveryv1.EndpointPort{
				Name: ptr.To(port.Name), Port: &number, Protocol: ptr.To(port.Protocol), AppProtocol: port.AppProtocol,
			})
		}
	}
	slices.SortFunc(ports, func(a, b discoveryv1.EndpointPort) int {
		return cmp.Or(strings.Compare(*a.Name, *b.Name), cmp.Compare(*a.Port, *b.Port), strings.Compare(string(*a.Protocol), string(*b.Protocol)))
	})
	return ports
}

// targetPort is the number of a service's port in a pod: of its containers, and of the sidecars.
func targetPort(p *corev1.Pod, port corev1.ServicePort) (int32, bool) {
	if port.TargetPort.Type == intstr.Int {
		return port.TargetPort.IntVal, true
	}
	containers := slices.Clone(p.Spec.Containers)
	for _, c := range p.Spec.InitContainers {
		if ptr.Deref(c.RestartPolicy, "") == corev1.ContainerRestartPolicyAlways {
			containers = append(containers, c)
		}
	}
	for _, c := range containers {
		for _, has := range c.Ports {
			if has.Name == port.TargetPort.StrVal && has.Protocol == port.Protocol {
				return has.ContainerPort, true
			}
		}
	}
	return 0, false
}

// triggerTime is when the first of the changes happened that are not told of yet: a service was made, a pod became
// ready or ceased to be. since is what the last write told; the zero time says that nothing is known.
func triggerTime(s *corev1.Service, pods []*corev1.Pod, since time.Time) time.Time {
	times := []time.Time{s.CreationTimestamp.Time}
	for _, p := range pods {
		at, _ := podReady(p)
		if p.DeletionTimestamp != nil {
			at = p.DeletionTimestamp.Add(-time.Duration(ptr.Deref(p.DeletionGracePeriodSeconds, 0)) * time.Second)
		}
		times = append(times, at)
	}
	var first time.Time
	for _, at := range times {
		if at.After(since) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// lastTrigger is the trigger time that annotations tell, or zero.
func lastTrigger(annotations map[string]string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, annotations[corev1.EndpointsLastChangeTriggerTime])
	if err != nil {
		return time.Time{}
	}
	return at
}

// withTrigger is a copy of annotations that tells a trigger time, or none.
func withTrigger(annotations map[string]string, at time.Time) map[string]string {
	told := make(map[string]string, len(annotations)+1)
	for key, value := range annotations {
		told[key] = value
	}
	delete(told, corev1.EndpointsLastChangeTriggerTime)
	if !at.IsZero() {
		told[corev1.EndpointsLastChangeTriggerTime] = at.UTC().Format(time.RFC3339Nano)
	}
	if len(told) == 0 {
		return nil
	}
	return told
}
