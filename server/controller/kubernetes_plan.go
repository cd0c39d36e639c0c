package controller

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

const (
	kubernetesName = "kubernetes" // of the API's Service, Endpoints and EndpointSlice
	kubernetesPort = "https"
)

// kubernetesService is the one by which pods reach the API; port is where servers listen.
func kubernetesService(ip netip.Addr, port uint16) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: metav1.NamespaceDefault, Name: kubernetesName,
			Labels: map[string]string{"component": "apiserver", "provider": "kubernetes"},
		},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: ip.String(), IPFamilyPolicy: ptr.To(corev1.IPFamilyPolicySingleStack),
			SessionAffinity: corev1.ServiceAffinityNone,
			Ports: []corev1.ServicePort{{
				Name: kubernetesPort, Protocol: corev1.ProtocolTCP, Port: 443, TargetPort: intstr.FromInt32(int32(port)),
			}},
		},
	}
}

// reachable are the servers that pods can reach: one that is only on the loopback is there for its own machine. With
// several ports the servers of the first one stand for all, as the Service leads to one.
func reachable(list []netip.AddrPort) []netip.AddrPort {
	list = slices.DeleteFunc(slices.Clone(list), func(m netip.AddrPort) bool {
		ip := m.Addr()
		return !ip.Is4() || ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()
	})
	slices.SortFunc(list, func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(a.Port(), b.Port()), a.Addr().Compare(b.Addr()))
	})
	return slices.DeleteFunc(list, func(m netip.AddrPort) bool { return m.Port() != list[0].Port() })
}

// kubernetesEndpoints are what lists the servers, in both forms.
func kubernetesEndpoints(list []netip.AddrPort) (*endpointsObject, *discoveryv1.EndpointSlice) {
	meta := metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: kubernetesName}
	listed := &endpointsObject{ObjectMeta: meta}
	listed.Labels = map[string]string{discoveryv1.LabelSkipMirror: "true"}
	slice := &discoveryv1.EndpointSlice{ObjectMeta: meta, AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{}}
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: kubernetesName}
	if len(list) == 0 {
		return listed, slice
	}
	port := int32(list[0].Port())
	subset := endpointSubset{Ports: []corev1.EndpointPort{{Name: kubernetesPort, Port: port, Protocol: corev1.ProtocolTCP}}}
	for _, m := range list {
		subset.Addresses = append(subset.Addresses, corev1.EndpointAddress{IP: m.Addr().String()})
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{m.Addr().String()}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
		})
	}
	listed.Subsets = []endpointSubset{subset}
	slice.Ports = []discoveryv1.EndpointPort{{Name: ptr.To(kubernetesPort), Port: &port, Protocol: ptr.To(corev1.ProtocolTCP)}}
	return listed, slice
}

// withLabels adds labels to those that there are.
func withLabels(has, more map[string]string) map[string]string {
	all := maps.Clone(has)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, more)
	return all
}
