package kind

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestValidateEndpoints(t *testing.T) {
	type list = *endpoints
	base := func() list {
		return &endpoints{Subsets: []endpointSubset{{
			Addresses: []corev1.EndpointAddress{{IP: "10.42.0.2", Hostname: "a", NodeName: pointsTo("n")}},
			Ports:     []corev1.EndpointPort{{Port: 80}},
		}}}
	}
	checkChanges(t, Endpoints, base, []change[list]{
		{"no addresses", func(e list) { e.Subsets[0].Addresses = nil }, []string{"subsets[0]" + isRequired}},
		{"address", func(e list) { e.Subsets[0].Addresses[0].IP = "x" },
			[]string{"subsets[0].addresses[0].ip" + isInvalid, "subsets[0].addresses[0].ip" + isInvalid}},
		{"loopback", func(e list) { e.Subsets[0].Addresses[0].IP = "127.0.0.1" }, []string{"subsets[0].addresses[0].ip" + isInvalid}},
		{"host name", func(e list) { e.Subsets[0].Addresses[0].Hostname = "a.b" }, []string{"subsets[0].addresses[0].hostname" + isInvalid}},
		{"node name", func(e list) { e.Subsets[0].Addresses[0].NodeName = pointsTo("A") }, []string{"subsets[0].addresses[0].nodeName" + isInvalid}},
		{"port", func(e list) { e.Subsets[0].Ports[0].Port = 0 }, []string{"subsets[0].ports[0].port" + isInvalid}},
		{"unnamed ports", func(e list) {
			e.Subsets[0].Ports = append(e.Subsets[0].Ports, corev1.EndpointPort{Name: "a", Port: 81, Protocol: "TCP"})
		}, []string{"subsets[0].ports[0].name" + isRequired}},
	})
}

func TestValidateEndpointSlice(t *testing.T) {
	type slice = *discoveryv1.EndpointSlice
	base := func() slice {
		return &discoveryv1.EndpointSlice{
			AddressType: discoveryv1.AddressTypeIPv4,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.42.0.2"}, Hints: &discoveryv1.EndpointHints{}}},
			Ports:       []discoveryv1.EndpointPort{{Port: pointsTo(int32(80))}},
		}
	}
	first := func(change func(*discoveryv1.Endpoint)) func(slice) { return func(s slice) { change(&s.Endpoints[0]) } }
	checkChanges(t, EndpointSlice, base, []change[slice]{
		{"no type", func(s slice) { s.AddressType = "" }, []string{"addressType" + isRequired}},
		{"type", func(s slice) { s.AddressType = "x" }, []string{"addressType" + isNotSupported}},
		{"no addresses", first(func(e *discoveryv1.Endpoint) { e.Addresses = nil }), []string{"endpoints[0].addresses" + isRequired}},
		{"loopback", first(func(e *discoveryv1.Endpoint) { e.Addresses[0] = "127.0.0.1" }), []string{"endpoints[0].addresses[0]" + isInvalid}},
		{"other family", first(func(e *discoveryv1.Endpoint) { e.Addresses[0] = "fd00::1" }), []string{"endpoints[0].addresses" + isInvalid}},
		{"six as four", func(s slice) { s.AddressType = "IPv6" }, []string{"endpoints[0].addresses" + isInvalid}},
		{"names", func(s slice) { s.AddressType, s.Endpoints[0].Addresses[0] = "FQDN", "a.b" }, nil},
		{"no name", func(s slice) { s.AddressType, s.Endpoints[0].Addresses[0] = "FQDN", "a" }, []string{"endpoints[0].addresses[0]" + isInvalid}},
		{"host name", first(func(e *discoveryv1.Endpoint) { e.Hostname = pointsTo("A") }), []string{"endpoints[0].hostname" + isInvalid}},
		{"same port name", func(s slice) { s.Ports = append(s.Ports, s.Ports[0]) }, []string{"ports[1].name" + isDuplicate}},
		{"protocol", func(s slice) { s.Ports[0].Protocol = pointsTo(corev1.Protocol("x")) }, []string{"ports[0].protocol" + isNotSupported}},
		{"zone twice", first(func(e *discoveryv1.Endpoint) { e.Hints.ForZones = []discoveryv1.ForZone{{Name: "a"}, {Name: "a"}} }),
			[]string{"endpoints[0].hints.forZones[1].name" + isDuplicate}},
		{"many zones", first(func(e *discoveryv1.Endpoint) { e.Hints.ForZones = make([]discoveryv1.ForZone, 9) }),
			[]string{"endpoints[0].hints.forZones: " + string(field.ErrorTypeTooMany)}},
		{"node", first(func(e *discoveryv1.Endpoint) { e.Hints.ForNodes = []discoveryv1.ForNode{{Name: "A"}} }),
			[]string{"endpoints[0].hints.forNodes[0].name" + isInvalid}},
		{"many", func(s slice) { s.Endpoints = make([]discoveryv1.Endpoint, 1001) }, []string{"endpoints: " + string(field.ErrorTypeTooMany)}},
	})
	checkUpdates(t, EndpointSlice, base, []change[slice]{
		{"endpoints", func(s slice) { s.Endpoints = nil }, nil},
		{"type", func(s slice) { s.AddressType = "IPv6" }, []string{"addressType" + isInvalid}},
	})
	updated, old := base(), base()
	EndpointSlice.PrepareCreate(old)
	updated.Annotations = map[string]string{"a": "b"}
	if EndpointSlice.PrepareUpdate(updated, old); updated.Generation != 1 {
		t.Error("an annotation made a new generation")
	}
	updated.Labels = map[string]string{"a": "b"}
	if EndpointSlice.PrepareUpdate(updated, old); updated.Generation != 2 {
		t.Error("a label made no new generation")
	}
}

func TestValidateIngress(t *testing.T) {
	type ingress = *networkingv1.Ingress
	base := func() ingress {
		backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}
		path := networkingv1.HTTPIngressPath{Path: "/", PathType: pointsTo(networkingv1.PathTypePrefix), Backend: backend}
		return &networkingv1.Ingress{Spec: networkingv1.IngressSpec{
			DefaultBackend: backend.DeepCopy(),
			TLS:            []networkingv1.IngressTLS{{Hosts: []string{"*.example.com"}, SecretName: "tls"}},
			Rules: []networkingv1.IngressRule{{Host: "example.com", IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{path}},
			}}},
		}}
	}
	path := func(text string, kind networkingv1.PathType) func(ingress) {
		return func(i ingress) {
			i.Spec.Rules[0].HTTP.Paths[0].Path, i.Spec.Rules[0].HTTP.Paths[0].PathType = text, &kind
		}
	}
	backend := func(change func(*networkingv1.IngressBackend)) func(ingress) {
		return func(i ingress) { change(i.Spec.DefaultBackend) }
	}
	const first = "spec.rules[0].http.paths[0]"
	checkChanges(t, Ingress, base, []change[ingress]{
		{"nothing", func(i ingress) { i.Spec = networkingv1.IngressSpec{} }, []string{"spec" + isInvalid}},
		{"class", func(i ingress) { i.Spec.IngressClassName = pointsTo("A") }, []string{"spec.ingressClassName" + isInvalid}},
		{"address as host", func(i ingress) { i.Spec.Rules[0].Host = "9.9.9.9" }, []string{"spec.rules[0].host" + isInvalid}},
		{"wildcard", func(i ingress) { i.Spec.Rules[0].Host = "a.*.b" }, []string{"spec.rules[0].host" + isInvalid}},
		{"no paths", func(i ingress) { i.Spec.Rules[0].HTTP.Paths = nil }, []string{"spec.rules[0].http.paths" + isRequired}},
		{"no path type", func(i ingress) { i.Spec.Rules[0].HTTP.Paths[0].PathType = nil }, []string{first + ".pathType" + isRequired}},
		{"path type", path("/", "x"), []string{first + ".pathType" + isNotSupported}},
		{"relative", path("a", "Exact"), []string{first + ".path" + isInvalid}},
		{"dots", path("/a/../b/..", "Prefix"), []string{first + ".path" + isInvalid, first + ".path" + isInvalid}},
		{"as the controller likes", path("", "ImplementationSpecific"), nil},
		{"no backend", backend(func(b *networkingv1.IngressBackend) { b.Service = nil }), []string{"spec.defaultBackend" + isInvalid}},
		{"two backends", backend(func(b *networkingv1.IngressBackend) { b.Resource = &corev1.TypedLocalObjectReference{} }), []string{"spec.defaultBackend" + isInvalid}},
		{"resource", backend(func(b *networkingv1.IngressBackend) {
			b.Service, b.Resource = nil, &corev1.TypedLocalObjectReference{APIGroup: pointsTo("A"), Kind: "x/y"}
		}), []string{"spec.defaultBackend.resource.apiGroup" + isInvalid, "spec.defaultBackend.resource.kind" + isInvalid, "spec.defaultBackend.resource.name" + isRequired}},
		{"two ports", backend(func(b *networkingv1.IngressBackend) { b.Service.Port.Name = "a" }), []string{"spec.defaultBackend" + isInvalid}},
		{"no port", backend(func(b *networkingv1.IngressBackend) { b.Service.Port.Number = 0 }), []string{"spec.defaultBackend" + isRequired}},
		{"no service", backend(func(b *networkingv1.IngressBackend) { b.Service.Name = "" }), []string{"spec.defaultBackend.service.name" + isRequired}},
		{"tls", func(i ingress) { i.Spec.TLS[0].Hosts[0], i.Spec.TLS[0].SecretName = "A", "B" },
			[]string{"spec.tls[0].hosts[0]" + isInvalid, "spec.tls[0].secretName" + isInvalid}},
	})
	two := base()
	two.Annotations, two.Spec.IngressClassName = map[string]string{IngressClassAnnotation: "a"}, pointsTo("b")
	if got := causes(Ingress.ValidateCreate(two)); !slices.Equal(got, []string{"annotations." + IngressClassAnnotation + isInvalid}) {
		t.Errorf("two classes: %q", got)
	}
}

func TestValidateIngressClass(t *testing.T) {
	type class = *networkingv1.IngressClass
	base := func() class {
		return &networkingv1.IngressClass{Spec: networkingv1.IngressClassSpec{
			Controller: "example.com/ingress",
			Parameters: &networkingv1.IngressClassParametersReference{Kind: "Config", Name: "a"},
		}}
	}
	scope := func(scope string, namespace *string) func(class) {
		return func(c class) { c.Spec.Parameters.Scope, c.Spec.Parameters.Namespace = &scope, namespace }
	}
	const parameters = "spec.parameters."
	checkChanges(t, IngressClass, base, []change[class]{
		{"no controller", func(c class) { c.Spec.Controller = "" }, []string{"spec.controller" + isRequired}},
		{"controller", func(c class) { c.Spec.Controller = "ingress" }, []string{"spec.controller" + isInvalid}},
		{"long", func(c class) { c.Spec.Controller = "a.b/" + strings.Repeat("x", 250) }, []string{"spec.controller" + isTooLong}},
		{"nothing named", func(c class) { c.Spec.Parameters.Name, c.Spec.Parameters.Kind = "", "" }, []string{parameters + "kind" + isRequired, parameters + "name" + isRequired}},
		{"no scope", func(c class) { c.Spec.Parameters.Scope = nil }, []string{parameters + "scope" + isRequired}},
		{"scope", scope("x", nil), []string{parameters + "scope" + isNotSupported}},
		{"no namespace", scope("Namespace", nil), []string{parameters + "namespace" + isRequired}},
		{"namespace", scope("Namespace", pointsTo("A")), []string{parameters + "namespace" + isInvalid}},
		{"of the cluster", scope("Cluster", pointsTo("a")), []string{parameters + "namespace" + isForbidden}},
	})
	checkUpdates(t, IngressClass, base, []change[class]{
		{"parameters", func(c class) { c.Spec.Parameters = nil }, nil},
		{"controller", func(c class) { c.Spec.Controller = "a.b/c" }, []string{"spec.controller" + isInvalid}},
	})
}

func TestValidateNetworkPolicy(t *testing.T) {
	type policy = *networkingv1.NetworkPolicy
	base := func() policy {
		return &networkingv1.NetworkPolicy{Spec: networkingv1.NetworkPolicySpec{
			Ingress: []networkingv1.NetworkPolicyIngressRule{{
				Ports: []networkingv1.NetworkPolicyPort{{Port: pointsTo(intstr.FromInt32(80)), EndPort: pointsTo(int32(90))}},
				From:  []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "10.0.0.0/8", Except: []string{"10.1.0.0/16"}}}},
			}},
			Egress: []networkingv1.NetworkPolicyEgressRule{{To: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}},
		}}
	}
	port := func(change func(*networkingv1.NetworkPolicyPort)) func(policy) {
		return func(p policy) { change(&p.Spec.Ingress[0].Ports[0]) }
	}
	peer := func(change func(*networkingv1.NetworkPolicyPeer)) func(policy) {
		return func(p policy) { change(&p.Spec.Ingress[0].From[0]) }
	}
	const ports, from = "spec.ingress[0].ports[0]", "spec.ingress[0].from[0]"
	checkChanges(t, NetworkPolicy, base, []change[policy]{
		{"selector", func(p policy) { p.Spec.PodSelector.MatchLabels = map[string]string{"a b": ""} }, []string{"spec.podSelector.matchLabels" + isInvalid}},
		{"protocol", port(func(p *networkingv1.NetworkPolicyPort) { p.Protocol = pointsTo(corev1.Protocol("x")) }), []string{ports + ".protocol" + isNotSupported}},
		{"end before start", port(func(p *networkingv1.NetworkPolicyPort) { *p.EndPort = 70 }), []string{ports + ".endPort" + isInvalid}},
		{"end of a name", port(func(p *networkingv1.NetworkPolicyPort) { *p.Port = intstr.FromString("http") }), []string{ports + ".endPort" + isInvalid}},
		{"end of nothing", port(func(p *networkingv1.NetworkPolicyPort) { p.Port = nil }), []string{ports + ".endPort" + isInvalid}},
		{"nobody", peer(func(p *networkingv1.NetworkPolicyPeer) { p.IPBlock = nil }), []string{from + isRequired}},
		{"both", peer(func(p *networkingv1.NetworkPolicyPeer) { p.PodSelector = &metav1.LabelSelector{} }), []string{from + isForbidden}},
		{"no range", peer(func(p *networkingv1.NetworkPolicyPeer) { p.IPBlock.CIDR = "" }), []string{from + ".ipBlock.cidr" + isRequired}},
		{"range", peer(func(p *networkingv1.NetworkPolicyPeer) { p.IPBlock.CIDR = "10.0.0.0" }), []string{from + ".ipBlock.cidr" + isInvalid}},
		{"outside", peer(func(p *networkingv1.NetworkPolicyPeer) { p.IPBlock.Except = []string{"11.0.0.0/16"} }), []string{from + ".ipBlock.except[0]" + isInvalid}},
		{"the whole", peer(func(p *networkingv1.NetworkPolicyPeer) { p.IPBlock.Except = []string{"10.0.0.0/8"} }), []string{from + ".ipBlock.except[0]" + isInvalid}},
		{"direction", func(p policy) { p.Spec.PolicyTypes = []networkingv1.PolicyType{"x"} }, []string{"spec.policyTypes[0]" + isNotSupported}},
	})
}

func TestValidateIPAddress(t *testing.T) {
	type address = *networkingv1.IPAddress
	base := func() address {
		return &networkingv1.IPAddress{Spec: networkingv1.IPAddressSpec{
			ParentRef: &networkingv1.ParentReference{Resource: "services", Namespace: "default", Name: "web"},
		}}
	}
	checkChanges(t, IPAddress, base, []change[address]{
		{"nobody's", func(a address) { a.Spec.ParentRef = nil }, []string{"spec.parentRef" + isRequired}},
		{"nothing's", func(a address) { a.Spec.ParentRef = &networkingv1.ParentReference{} }, []string{"spec.parentRef.resource" + isRequired, "spec.parentRef.name" + isRequired}},
		{"group", func(a address) { a.Spec.ParentRef.Group = "A" }, []string{"spec.parentRef.group" + isInvalid}},
	})
	checkUpdates(t, IPAddress, base, []change[address]{
		{"another's", func(a address) { a.Spec.ParentRef.Name = "other" }, []string{"spec.parentRef" + isInvalid}},
	})
	for name, good := range map[string]bool{"10.96.0.1": true, "fd00::1": true, "10.96.0.01": false, "FD00::1": false, "a": false} {
		if got := len(IPAddress.ValidateName(name, false)) == 0; got != good {
			t.Errorf("%q: %v, want %v", name, got, good)
		}
	}
}

func TestValidateServiceCIDR(t *testing.T) {
	type cidr = *networkingv1.ServiceCIDR
	base := func() cidr {
		return &networkingv1.ServiceCIDR{Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"10.96.0.0/12"}}}
	}
	are := func(cidrs ...string) func(cidr) { return func(c cidr) { c.Spec.CIDRs = cidrs } }
	checkChanges(t, ServiceCIDR, base, []change[cidr]{
		{"none", are(), []string{"spec.cidrs" + isRequired}},
		{"three", are("10.96.0.0/12", "fd00::/112", "10.0.0.0/24"), []string{"spec.cidrs" + isInvalid}},
		{"both families", are("10.96.0.0/12", "fd00::/112"), nil},
		{"one family twice", are("10.96.0.0/12", "10.0.0.0/24"), []string{"spec.cidrs" + isInvalid}},
		{"host bits", are("10.96.0.1/12"), []string{"spec.cidrs[0]" + isInvalid}},
	})
	checkUpdates(t, ServiceCIDR, base, []change[cidr]{
		{"other range", are("10.0.0.0/24"), []string{"spec.cidrs[0]" + isInvalid}},
		{"second family", are("10.96.0.0/12", "fd00::/112"), nil},
		{"none left", are(), []string{"spec.cidrs" + isInvalid}},
	})
}

func TestNetworkingRows(t *testing.T) {
	meta := metav1.ObjectMeta{Name: "a", CreationTimestamp: ago(0)}
	addresses := func(ips ...string) (list []corev1.EndpointAddress) {
		for _, ip := range ips {
			list = append(list, corev1.EndpointAddress{IP: ip})
		}
		return list
	}
	rule := func(host string) networkingv1.IngressRule { return networkingv1.IngressRule{Host: host} }
	class := &networkingv1.IngressClass{ObjectMeta: meta, Spec: networkingv1.IngressClassSpec{Controller: "c",
		Parameters: &networkingv1.IngressClassParametersReference{APIGroup: pointsTo("g"), Kind: "K", Name: "n"}}}
	class.Annotations = map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"}
	for _, tt := range []struct {
		name string
		kind *Kind
		obj  runtime.Object
		want string
	}{
		{"endpoints", Endpoints, &endpoints{ObjectMeta: meta, Subsets: []endpointSubset{
			{Addresses: addresses("1.1.1.1", "1.1.1.2"), Ports: []corev1.EndpointPort{{Port: 80}, {Port: 81}}},
		}}, "a|1.1.1.1:80,1.1.1.2:80,1.1.1.1:81 + 1 more...|0s"},
		{"endpoints without ports", Endpoints, &endpoints{ObjectMeta: meta, Subsets: []endpointSubset{{Addresses: addresses("1.1.1.1")}}}, "a|1.1.1.1|0s"},
		{"no endpoints", Endpoints, &endpoints{ObjectMeta: meta}, "a|<none>|0s"},
		{"slice", EndpointSlice, &discoveryv1.EndpointSlice{ObjectMeta: meta, AddressType: "IPv4",
			Ports:     []discoveryv1.EndpointPort{{Port: pointsTo(int32(80))}, {Name: pointsTo("x")}, {}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"1.1.1.1"}}, {Addresses: []string{"1.1.1.2"}}},
		}, "a|IPv4|80,x,*|1.1.1.1,1.1.1.2|0s"},
		{"empty slice", EndpointSlice, &discoveryv1.EndpointSlice{ObjectMeta: meta, AddressType: "IPv4"}, "a|IPv4|<unset>|<unset>|0s"},
		{"ingress", Ingress, &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{
			IngressClassName: pointsTo("c"), TLS: []networkingv1.IngressTLS{{}},
			Rules: []networkingv1.IngressRule{rule("a"), rule(""), rule("b"), rule("c"), rule("d")},
		}}, "a|c|a,b,c + 2 more...||80, 443|0s"},
		{"ingress of all", Ingress, &networkingv1.Ingress{ObjectMeta: meta, Status: networkingv1.IngressStatus{
			LoadBalancer: networkingv1.IngressLoadBalancerStatus{Ingress: []networkingv1.IngressLoadBalancerIngress{{IP: "9.9.9.9"}}},
		}}, "a|<none>|*|9.9.9.9|80|0s"},
		{"default class", IngressClass, class, "a (default)|c|K.g/n|0s"},
		{"policy", NetworkPolicy, &networkingv1.NetworkPolicy{ObjectMeta: meta}, "a|<none>|0s"},
		{"address", IPAddress, &networkingv1.IPAddress{ObjectMeta: meta, Spec: networkingv1.IPAddressSpec{
			ParentRef: &networkingv1.ParentReference{Resource: "services", Namespace: "default", Name: "web"}}}, "a|services/default/web"},
		{"range", ServiceCIDR, &networkingv1.ServiceCIDR{ObjectMeta: meta, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"x", "y"}}}, "a|x,y|0s"},
	} {
		if got := strings.Join(printed(tt.kind.Row(tt.obj)), "|"); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
