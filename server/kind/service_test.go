package kind

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

type service = *corev1.Service

// baseService is a service as it is stored, with its address.
func baseService() service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web", CreationTimestamp: ago(0)},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, Selector: map[string]string{"app": "web"},
			ClusterIP: "10.96.0.10", ClusterIPs: []string{"10.96.0.10"},
			IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, IPFamilyPolicy: pointsTo(corev1.IPFamilyPolicySingleStack),
			Ports: []corev1.ServicePort{{Port: 80}},
		},
	}
}

func typeIs(t corev1.ServiceType) func(service) {
	return func(s service) {
		s.Spec.Type = t
		defaultService(s)
	}
}

// also makes several changes.
func also(changes ...func(service)) func(service) {
	return func(s service) {
		for _, change := range changes {
			change(s)
		}
	}
}

func portAt(i int, change func(*corev1.ServicePort)) func(service) {
	return func(s service) {
		for len(s.Spec.Ports) <= i {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{})
		}
		change(&s.Spec.Ports[i])
		defaultServicePort(&s.Spec.Ports[i])
	}
}

func TestValidateService(t *testing.T) {
	balancer, onNodes := typeIs(corev1.ServiceTypeLoadBalancer), typeIs(corev1.ServiceTypeNodePort)
	headless := func(s service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "None", []string{"None"} }
	elsewhere := func(s service) {
		s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "db.example.com."}
		defaultService(s)
	}
	annotated := func(key, value string) func(service) {
		return func(s service) { metav1.SetMetaDataAnnotation(&s.ObjectMeta, key, value) }
	}
	checkChanges(t, Service, baseService, []change[service]{
		{"no ports", func(s service) { s.Spec.Ports = nil }, []string{"spec.ports" + isRequired}},
		{"headless without ports", also(headless, func(s service) { s.Spec.Ports = nil }), nil},
		{"headless on nodes", also(headless, onNodes), []string{"spec.clusterIPs[0]" + isInvalid}},
		{"headless balancer", also(headless, balancer), []string{"spec.clusterIPs[0]" + isInvalid}},
		{"elsewhere", elsewhere, nil},
		{"nowhere", also(elsewhere, func(s service) { s.Spec.ExternalName = "" }), []string{"spec.externalName" + isRequired}},
		{"no name", also(elsewhere, func(s service) { s.Spec.ExternalName = "a_b" }), []string{"spec.externalName" + isInvalid}},
		{"elsewhere with addresses", func(s service) {
			s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "a.b"
		}, []string{"spec.clusterIPs" + isForbidden, "spec.ipFamilies" + isForbidden, "spec.ipFamilyPolicy" + isForbidden}},
		{"unnamed ports", portAt(1, func(p *corev1.ServicePort) { p.Port, p.Name = 81, "b" }), []string{"spec.ports[0].name" + isRequired}},
		{"port names", also(portAt(0, func(p *corev1.ServicePort) { p.Name = "a" }), portAt(1, func(p *corev1.ServicePort) { p.Port, p.Name = 81, "a" })),
			[]string{"spec.ports[1].name" + isDuplicate}},
		{"port name", portAt(0, func(p *corev1.ServicePort) { p.Name = "A" }), []string{"spec.ports[0].name" + isInvalid}},
		{"port number", portAt(0, func(p *corev1.ServicePort) { p.Port = 70000 }), []string{"spec.ports[0].port" + isInvalid}},
		{"protocol", portAt(0, func(p *corev1.ServicePort) { p.Protocol = "tcp" }), []string{"spec.ports[0].protocol" + isNotSupported}},
		{"target port", portAt(0, func(p *corev1.ServicePort) { p.TargetPort = intstr.FromString("a_b") }), []string{"spec.ports[0].targetPort" + isInvalid}},
		{"app protocol", portAt(0, func(p *corev1.ServicePort) { p.AppProtocol = pointsTo("a b") }), []string{"spec.ports[0].appProtocol" + isInvalid}},
		{"same port twice", also(portAt(0, func(p *corev1.ServicePort) { p.Name = "a" }), portAt(1, func(p *corev1.ServicePort) { p.Port, p.Name = 80, "b" })),
			[]string{"spec.ports[1]" + isDuplicate}},
		{"same port, other protocol", also(portAt(0, func(p *corev1.ServicePort) { p.Name = "a" }),
			portAt(1, func(p *corev1.ServicePort) { p.Port, p.Name, p.Protocol = 80, "b", "UDP" })), nil},
		{"node port of a cluster IP", portAt(0, func(p *corev1.ServicePort) { p.NodePort = 30000 }), []string{"spec.ports[0].nodePort" + isForbidden}},
		{"same node port twice", also(onNodes, portAt(0, func(p *corev1.ServicePort) { p.Name, p.NodePort = "a", 30000 }),
			portAt(1, func(p *corev1.ServicePort) { p.Port, p.Name, p.NodePort = 81, "b", 30000 })), []string{"spec.ports[1].nodePort" + isDuplicate}},
		{"selector", func(s service) { s.Spec.Selector = map[string]string{"a b": ""} }, []string{"spec.selector" + isInvalid}},
		{"affinity", func(s service) { s.Spec.SessionAffinity = "x" }, []string{"spec.sessionAffinity" + isNotSupported}},
		{"affinity without time", func(s service) { s.Spec.SessionAffinity = "ClientIP" }, []string{"spec.sessionAffinityConfig" + isRequired}},
		{"affinity for two days", func(s service) {
			s.Spec.SessionAffinity = "ClientIP"
			defaultService(s)
			*s.Spec.SessionAffinityConfig.ClientIP.TimeoutSeconds = 172800
		}, []string{"spec.sessionAffinityConfig.clientIP.timeoutSeconds" + isInvalid}},
		{"time without affinity", func(s service) { s.Spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{} }, []string{"spec.sessionAffinityConfig" + isForbidden}},
		{"external address", func(s service) {
			s.Spec.ExternalIPs, s.Spec.ExternalTrafficPolicy = []string{"127.0.0.1", "1.2.3", "9.9.9.9"}, "Cluster"
		},
			[]string{"spec.externalIPs[0]" + isInvalid, "spec.externalIPs[1]" + isInvalid}},
		{"type", func(s service) { s.Spec.Type = "x" }, []string{"spec.type" + isNotSupported}},
		{"ranges", func(s service) { s.Spec.LoadBalancerSourceRanges = []string{"10.0.0.0/8", "x"} },
			[]string{"spec.LoadBalancerSourceRanges" + isForbidden, "spec.LoadBalancerSourceRanges[1]" + isInvalid}},
		{"padded ranges", also(balancer, func(s service) { s.Spec.LoadBalancerSourceRanges = []string{" 10.0.0.0/8 "} }), nil},
		{"annotated ranges", also(balancer, annotated(corev1.AnnotationLoadBalancerSourceRangesKey, "10.0.0.0/8, x")),
			[]string{"metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]" + isInvalid}},
		{"no choice of node ports", also(balancer, func(s service) { s.Spec.AllocateLoadBalancerNodePorts = nil }), []string{"allocateLoadBalancerNodePorts" + isRequired}},
		{"a balancer's choice", func(s service) { s.Spec.AllocateLoadBalancerNodePorts = pointsTo(true) }, []string{"spec.allocateLoadBalancerNodePorts" + isForbidden}},
		{"class", also(balancer, func(s service) { s.Spec.LoadBalancerClass = pointsTo("a b") }), []string{"spec.loadBalancerClass" + isInvalid}},
		{"a balancer's class", func(s service) { s.Spec.LoadBalancerClass = pointsTo("a") }, []string{"spec.loadBalancerClass" + isForbidden}},
		{"external traffic", func(s service) { s.Spec.ExternalTrafficPolicy = "Local" }, []string{"spec.externalTrafficPolicy" + isInvalid}},
		{"no external traffic", also(onNodes, func(s service) { s.Spec.ExternalTrafficPolicy = "" }), []string{"spec.externalTrafficPolicy" + isRequired}},
		{"health", func(s service) { s.Spec.HealthCheckNodePort = 30000 }, []string{"spec.healthCheckNodePort" + isInvalid}},
		{"no health", also(balancer, func(s service) { s.Spec.ExternalTrafficPolicy = "Local" }), []string{"spec.healthCheckNodePort" + isRequired}},
		{"internal traffic", func(s service) { s.Spec.InternalTrafficPolicy = nil }, []string{"spec.internalTrafficPolicy" + isRequired}},
		{"distribution", func(s service) { s.Spec.TrafficDistribution = pointsTo("x") }, []string{"spec.trafficDistribution" + isNotSupported}},
		{"topology", also(annotated(corev1.DeprecatedAnnotationTopologyAwareHints, "auto"), annotated(corev1.AnnotationTopologyMode, "no")),
			[]string{"metadata.annotations[service.kubernetes.io/topology-mode]" + isInvalid}},
	})
}

func TestValidateClusterIPs(t *testing.T) {
	ips := func(first string, all ...string) func(service) {
		return func(s service) { s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.IPFamilies = first, all, nil }
	}
	families := func(all ...corev1.IPFamily) func(service) { return func(s service) { s.Spec.IPFamilies = all } }
	checkChanges(t, Service, baseService, []change[service]{
		{"none yet", ips(""), nil},
		{"not in the list", ips("10.0.0.1"), []string{"spec.clusterIPs" + isRequired}},
		{"not the first", ips("10.0.0.1", "10.0.0.2"), []string{"spec.clusterIPs" + isInvalid}},
		{"only in the list", ips("", "10.0.0.1"), []string{"spec.clusterIPs" + isInvalid}},
		{"None and more", ips("None", "None", "10.0.0.1"), []string{"spec.clusterIPs" + isInvalid}},
		{"leading zeros", ips("10.0.0.01", "10.0.0.01"), []string{"spec.clusterIPs[0]" + isInvalid}},
		{"two of one family", ips("10.0.0.1", "10.0.0.1", "10.0.0.2"), []string{"spec.clusterIPs" + isInvalid}},
		{"of both families", ips("10.0.0.1", "10.0.0.1", "fd00::1"), nil},
		{"three", ips("10.0.0.1", "10.0.0.1", "fd00::1", "fd00::2"), []string{"spec.clusterIPs" + isInvalid}},
		{"family", families("IPv5"), []string{"spec.ipFamilies[0]" + isNotSupported}},
		{"family twice", families("IPv4", "IPv4"), []string{"spec.ipFamilies[1]" + isDuplicate}},
		{"other family", families("IPv6"), []string{"spec.clusterIPs[0]" + isInvalid}},
		{"policy", func(s service) { s.Spec.IPFamilyPolicy = pointsTo(corev1.IPFamilyPolicy("x")) }, []string{"spec.ipFamilyPolicy" + isNotSupported}},
	})
}

func TestValidateServiceUpdate(t *testing.T) {
	dual := func(s service) {
		s.Spec.ClusterIPs = append(s.Spec.ClusterIPs, "fd00::1")
		s.Spec.IPFamilies, s.Spec.IPFamilyPolicy = append(s.Spec.IPFamilies, corev1.IPv6Protocol), pointsTo(corev1.IPFamilyPolicyPreferDualStack)
	}
	baseDual := func() service {
		s := baseService()
		dual(s)
		return s
	}
	checkUpdates(t, Service, baseService, []change[service]{
		{"selector", func(s service) { s.Spec.Selector = nil }, nil},
		{"address", func(s service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "10.96.0.11", []string{"10.96.0.11"} }, []string{"spec.clusterIPs[0]" + isInvalid}},
		{"headless", func(s service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "None", []string{"None"} }, []string{"spec.clusterIPs[0]" + isInvalid}},
		{"no address", func(s service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "", nil }, []string{"spec.clusterIPs[0]" + isInvalid}},
		{"another one", dual, nil},
		{"family", func(s service) { s.Spec.IPFamilies = []corev1.IPFamily{"IPv6"} }, []string{"spec.ipFamilies[0]" + isInvalid}},
		{"elsewhere", func(s service) {
			s.Spec.Type, s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.IPFamilies = "ExternalName", "", nil, nil
		}, nil},
	})
	checkUpdates(t, Service, baseDual, []change[service]{
		{"second one gone", func(s service) {
			s.Spec.ClusterIPs, s.Spec.IPFamilies, s.Spec.IPFamilyPolicy = s.Spec.ClusterIPs[:1], s.Spec.IPFamilies[:1], pointsTo(corev1.IPFamilyPolicySingleStack)
		}, nil},
		{"gone without a word", func(s service) {
			s.Spec.ClusterIPs, s.Spec.IPFamilies = s.Spec.ClusterIPs[:1], s.Spec.IPFamilies[:1]
		}, []string{"spec.ipFamilyPolicy" + isInvalid, "spec.ipFamilyPolicy" + isInvalid}},
		{"first one gone", func(s service) {
			s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.IPFamilies = "fd00::1", s.Spec.ClusterIPs[1:], s.Spec.IPFamilies[1:]
			s.Spec.IPFamilyPolicy = pointsTo(corev1.IPFamilyPolicySingleStack)
		}, []string{"spec.clusterIPs[0]" + isInvalid, "spec.ipFamilies[0]" + isInvalid}},
	})
	baseBalancer := func() service {
		s := baseService()
		s.Spec.ExternalTrafficPolicy, s.Spec.HealthCheckNodePort = "Local", 30001
		typeIs(corev1.ServiceTypeLoadBalancer)(s)
		return s
	}
	checkUpdates(t, Service, baseBalancer, []change[service]{
		{"class", func(s service) { s.Spec.LoadBalancerClass = pointsTo("a") }, []string{"spec.loadBalancerClass" + isInvalid}},
		{"health", func(s service) { s.Spec.HealthCheckNodePort = 30002 }, []string{"spec.healthCheckNodePort" + isForbidden}},
	})
}

// What the server filled in for a type goes with it; what the request says itself stays, and is refused.
func TestServiceTypeChanges(t *testing.T) {
	balancer := func() service {
		s := baseService()
		s.Spec.Type, s.Spec.ExternalTrafficPolicy, s.Spec.HealthCheckNodePort = "LoadBalancer", "Local", 30001
		s.Spec.Ports[0].NodePort, s.Spec.LoadBalancerClass = 30002, pointsTo("a")
		s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "9.9.9.9"}}
		defaultService(s)
		return s
	}
	plain := baseService()
	defaultService(plain)
	for _, tt := range []struct {
		name   string
		change func(service)
		want   []string
	}{
		{"to a cluster IP", func(s service) { s.Spec.Type = "ClusterIP" }, nil},
		{"with its node port", func(s service) {
			s.Spec.Type, s.Spec.Ports[0].NodePort = "ClusterIP", 30003
		}, []string{"spec.ports[0].nodePort" + isForbidden}},
		{"with its class", func(s service) {
			s.Spec.Type, s.Spec.LoadBalancerClass = "ClusterIP", pointsTo("b")
		}, []string{"spec.loadBalancerClass" + isForbidden}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			updated, old := balancer(), balancer()
			tt.change(updated)
			Service.PrepareUpdate(updated, old)
			if got := causes(Service.Validate(updated)); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.want == nil && !equality.Semantic.DeepEqual(updated.Spec, plain.Spec) {
				t.Errorf("it keeps %+v", updated.Spec)
			}
			if len(updated.Status.LoadBalancer.Ingress) > 0 {
				t.Error("its balancer stays")
			}
		})
	}
	updated, old := balancer(), balancer()
	updated.Spec.Type, updated.Spec.ExternalName = corev1.ServiceTypeExternalName, "a.b"
	Service.PrepareUpdate(updated, old)
	if errs := Service.Validate(updated); len(errs) > 0 || updated.Spec.ClusterIP != "" {
		t.Errorf("to another name: %v, %+v", errs, updated.Spec)
	}
}

func TestServiceStatus(t *testing.T) {
	old := baseService()
	typeIs(corev1.ServiceTypeLoadBalancer)(old)
	vip := pointsTo(corev1.LoadBalancerIPModeVIP)
	for _, tt := range []struct {
		name  string
		point corev1.LoadBalancerIngress
		want  []string
	}{
		{"good", corev1.LoadBalancerIngress{IP: "9.9.9.9", IPMode: vip}, nil},
		{"name", corev1.LoadBalancerIngress{Hostname: "a.b"}, nil},
		{"bad address", corev1.LoadBalancerIngress{IP: "9.9.9", IPMode: vip}, []string{".ip" + isInvalid}},
		{"no mode", corev1.LoadBalancerIngress{IP: "9.9.9.9"}, []string{".ipMode" + isRequired}},
		{"mode of nothing", corev1.LoadBalancerIngress{Hostname: "a.b", IPMode: vip}, []string{".ipMode" + isForbidden}},
		{"mode", corev1.LoadBalancerIngress{IP: "9.9.9.9", IPMode: pointsTo(corev1.LoadBalancerIPMode("x"))}, []string{".ipMode" + isNotSupported}},
		{"address as a name", corev1.LoadBalancerIngress{Hostname: "9.9.9.9"}, []string{".hostname" + isInvalid}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			updated := old.DeepCopy()
			updated.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{tt.point}
			var want []string
			for _, w := range tt.want {
				want = append(want, "status.loadBalancer.ingress[0]"+w)
			}
			if got := causes(Service.ValidateStatus(updated, old)); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestServiceRows(t *testing.T) {
	row := func(change func(service)) string {
		s := baseService()
		change(s)
		return strings.Join(printed(Service.Row(s)), "|")
	}
	onNode := func(s service) { s.Spec.Ports[0].NodePort, s.Spec.Ports[0].Protocol = 30080, "TCP" }
	for _, tt := range []struct {
		name   string
		change func(service)
		want   string
	}{
		{"cluster IP", typeIs("ClusterIP"), "web|ClusterIP|10.96.0.10|<none>|80/TCP|0s|app=web"},
		{"on nodes", also(typeIs("NodePort"), onNode), "web|NodePort|10.96.0.10|<none>|80:30080/TCP|0s|app=web"},
		{"waiting", also(typeIs("LoadBalancer"), onNode), "web|LoadBalancer|10.96.0.10|<pending>|80:30080/TCP|0s|app=web"},
		{"balanced", also(typeIs("LoadBalancer"), func(s service) {
			s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: "lb"}, {IP: "9.9.9.9"}, {Hostname: "lb"}}
			s.Spec.ExternalIPs = []string{"1.1.1.1"}
		}), "web|LoadBalancer|10.96.0.10|9.9.9.9,lb,1.1.1.1|80/TCP|0s|app=web"},
		{"elsewhere", func(s service) {
			s.Spec = corev1.ServiceSpec{Type: "ExternalName", ExternalName: "a.b"}
		}, "web|ExternalName|<none>|a.b|<none>|0s|<none>"},
	} {
		if got := row(tt.change); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestServiceWarnings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(service)
		want   []string
	}{
		{"nothing", func(service) {}, nil},
		{"external addresses", func(s service) { s.Spec.ExternalIPs = []string{"9.9.9.9"} },
			[]string{"spec.externalIPs is deprecated and may no longer be implemented in some clusters"}},
		{"headless", func(s service) {
			s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.SessionAffinity = "None", []string{"None"}, "ClientIP"
		}, []string{"spec.SessionAffinity is ignored for headless services"}},
		{"address", func(s service) { s.Spec.ClusterIP, s.Spec.ClusterIPs = "fd00:0::1", []string{"fd00:0::1"} },
			[]string{`spec.clusterIPs[0]: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format ("fd00::1")`}},
		{"name", func(s service) { s.Spec.ExternalName = "a" }, []string{`spec.externalName is ignored when spec.type is not "ExternalName"`}},
		{"distribution", func(s service) { s.Spec.TrafficDistribution = pointsTo("PreferClose") },
			[]string{`spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"`}},
	} {
		s := baseService()
		defaultService(s)
		tt.change(s)
		if got := Service.Warnings(t.Context(), s); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q", tt.name, got)
		}
	}
}
