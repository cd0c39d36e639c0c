package resource_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/sets"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store/storetest"
)

// newServiceAPI starts the verbs with a range of addresses, of which few can be had, and few node ports.
func newServiceAPI(t testing.TB, cidrs ...string) *resource.API {
	t.Helper()
	services := resource.Services{Families: []corev1.IPFamily{corev1.IPv4Protocol}, NodePorts: utilnet.PortRange{Base: 30000, Size: 8}}
	if len(cidrs) > 1 {
		services.Families = append(services.Families, corev1.IPv6Protocol)
	}
	a := resource.New(storetest.New(t), kind.All(), resource.WithServices(services))
	create(t, a, target(kind.Namespace, "", ""), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	create(t, a, target(kind.ServiceCIDR, "", ""), &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: kind.DefaultServiceCIDR}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: cidrs},
	})
	return a
}

func services(name string) resource.Target { return target(kind.Service, "default", name) }

func newService(name string, changes ...func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}
	for _, change := range changes {
		change(s)
	}
	return s
}

func typed(kind corev1.ServiceType) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Type = kind }
}

func address(ip string) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.ClusterIP = ip }
}

func nodePort(port int32) func(*corev1.Service) {
	return func(s *corev1.Service) { s.Spec.Type, s.Spec.Ports[0].NodePort = corev1.ServiceTypeNodePort, port }
}

func mustService(t testing.TB, a *resource.API, s *corev1.Service) *corev1.Service {
	t.Helper()
	return object[*corev1.Service](t, create(t, a, services(""), s))
}

func changed(t testing.TB, a *resource.API, name string, change func(*corev1.Service)) *corev1.Service {
	t.Helper()
	s, err := resource.For[*corev1.Service](a, kind.Service, "tester").Update(t.Context(), "default", name, func(s *corev1.Service) error {
		change(s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func claimedIPs(a *resource.API) []string {
	var ips []string
	for _, ip := range resource.For[*networkingv1.IPAddress](a, kind.IPAddress, "").List("", nil) {
		ips = append(ips, ip.Name+" "+ip.Spec.ParentRef.Name)
	}
	return ips
}

func unserved(t testing.TB, a *resource.API, s *corev1.Service, want metav1.StatusReason, says string) {
	t.Helper()
	_, err := a.Create(t.Context(), services(""), s, metav1.CreateOptions{})
	reason(t, err, want)
	if !strings.Contains(err.Error(), says) {
		t.Errorf("got %q, want %q in it", err, says)
	}
}

func TestServiceAddresses(t *testing.T) {
	a := newServiceAPI(t, "10.96.0.0/28")
	web := mustService(t, a, newService("web"))
	if ip, err := netip.ParseAddr(web.Spec.ClusterIP); err != nil || !netip.MustParsePrefix("10.96.0.0/28").Contains(ip) {
		t.Fatalf("got the address %q", web.Spec.ClusterIP)
	}
	if got := web.Spec; !slices.Equal(got.ClusterIPs, []string{got.ClusterIP}) || !slices.Equal(got.IPFamilies, []corev1.IPFamily{"IPv4"}) || *got.IPFamilyPolicy != "SingleStack" {
		t.Errorf("got %+v", got)
	}
	it, err := a.Get(t.Context(), target(kind.IPAddress, "", web.Spec.ClusterIP), metav1.GetOptions{})
	claim := object[*networkingv1.IPAddress](t, must(it, err)(t))
	if claim.Labels[networkingv1.LabelIPAddressFamily] != "IPv4" || claim.Labels[networkingv1.LabelManagedBy] != "ipallocator.k8s.io" ||
		*claim.Spec.ParentRef != (networkingv1.ParentReference{Resource: "services", Namespace: "default", Name: "web"}) || claim.UID == "" {
		t.Errorf("it is claimed by %+v", claim)
	}
	unserved(t, a, newService("taken", address(web.Spec.ClusterIP)), metav1.StatusReasonInvalid, "provided IP is already allocated")
	unserved(t, a, newService("outside", address("10.97.0.1")), metav1.StatusReasonInvalid, "the provided network does not match the current range")
	unserved(t, a, newService("network", address("10.96.0.0")), metav1.StatusReasonInvalid, "the provided network does not match the current range")
	unserved(t, a, newService("broadcast", address("10.96.0.15")), metav1.StatusReasonInvalid, "the provided network does not match the current range")

	t.Run("dry run claims nothing", func(t *testing.T) {
		before := claimedIPs(a)
		it := must(a.Create(t.Context(), services(""), newService("dry"), metav1.CreateOptions{DryRun: []string{"All"}}))(t)
		if object[*corev1.Service](t, it).Spec.ClusterIP == "" || !slices.Equal(before, claimedIPs(a)) {
			t.Errorf("got %s, claims %q", it.JSON, claimedIPs(a))
		}
	})
	t.Run("a refused service claims nothing", func(t *testing.T) {
		before := claimedIPs(a)
		unserved(t, a, newService("bad", func(s *corev1.Service) { s.Spec.Ports[0].Port = 0 }), metav1.StatusReasonInvalid, "spec.ports[0].port")
		unserved(t, a, newService("web"), metav1.StatusReasonAlreadyExists, "already exists")
		if !slices.Equal(before, claimedIPs(a)) {
			t.Errorf("claims %q", claimedIPs(a))
		}
	})
	t.Run("the same manifest again changes nothing", func(t *testing.T) {
		it, _, err := a.Update(t.Context(), services("web"), newService("web"), metav1.UpdateOptions{})
		if got := object[*corev1.Service](t, must(it, err)(t)); got.ResourceVersion != web.ResourceVersion {
			t.Errorf("it was written again: %+v", got.Spec)
		}
	})
	t.Run("its address goes when it becomes another name, and comes with its return", func(t *testing.T) {
		s := changed(t, a, "web", func(s *corev1.Service) { s.Spec.Type, s.Spec.ExternalName = "ExternalName", "a.b" })
		if s.Spec.ClusterIP != "" || s.Spec.IPFamilyPolicy != nil || len(claimedIPs(a)) != 0 {
			t.Errorf("it keeps %+v, claims %q", s.Spec, claimedIPs(a))
		}
		if s := changed(t, a, "web", typed("ClusterIP")); s.Spec.ClusterIP == "" || len(claimedIPs(a)) != 1 {
			t.Errorf("it gets %+v, claims %q", s.Spec, claimedIPs(a))
		}
	})
	t.Run("headless", func(t *testing.T) {
		s := mustService(t, a, newService("headless", address("None")))
		if !kind.Headless(s) || len(claimedIPs(a)) != 1 {
			t.Errorf("got %+v, claims %q", s.Spec, claimedIPs(a))
		}
		alone := mustService(t, a, newService("alone", address("None"), func(s *corev1.Service) { s.Spec.Selector = nil }))
		if got := alone.Spec; *got.IPFamilyPolicy != "RequireDualStack" || len(got.IPFamilies) != 2 {
			t.Errorf("without a selector: %+v", got)
		}
	})
	t.Run("it is given back with the service", func(t *testing.T) {
		if _, gone, err := a.Delete(t.Context(), services("web"), metav1.DeleteOptions{}); !gone || err != nil || len(claimedIPs(a)) != 0 {
			t.Errorf("gone %v, %v, claims %q", gone, err, claimedIPs(a))
		}
	})
	t.Run("until the last one", func(t *testing.T) {
		for i := range 14 {
			mustService(t, a, newService(fmt.Sprint("s", i)))
		}
		unserved(t, a, newService("late"), metav1.StatusReasonInternalError, "range is full")
	})
	t.Run("a second range helps", func(t *testing.T) {
		create(t, a, target(kind.ServiceCIDR, "", ""), &networkingv1.ServiceCIDR{
			ObjectMeta: metav1.ObjectMeta{Name: "more"}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"10.98.0.0/28"}},
		})
		if s := mustService(t, a, newService("late")); !strings.HasPrefix(s.Spec.ClusterIP, "10.98.0.") {
			t.Errorf("got %s", s.Spec.ClusterIP)
		}
	})
}

func TestServiceFamilies(t *testing.T) {
	a := newServiceAPI(t, "10.96.0.0/28", "fd00::/112")
	policy := func(p corev1.IPFamilyPolicy) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Spec.IPFamilyPolicy = &p }
	}
	dual := mustService(t, a, newService("dual", policy("RequireDualStack")))
	if len(dual.Spec.ClusterIPs) != 2 || kind.FamilyOf(dual.Spec.ClusterIPs[1]) != "IPv6" || len(claimedIPs(a)) != 2 {
		t.Fatalf("got %+v", dual.Spec)
	}
	if s := changed(t, a, "dual", policy("SingleStack")); len(s.Spec.ClusterIPs) != 1 || s.Spec.ClusterIP != dual.Spec.ClusterIP || len(claimedIPs(a)) != 1 {
		t.Errorf("one is left: %+v, claims %q", s.Spec, claimedIPs(a))
	}
	if s := changed(t, a, "dual", policy("PreferDualStack")); len(s.Spec.ClusterIPs) != 2 || s.Spec.ClusterIP != dual.Spec.ClusterIP || len(claimedIPs(a)) != 2 {
		t.Errorf("and comes back: %+v, claims %q", s.Spec, claimedIPs(a))
	}
	six := mustService(t, a, newService("six", func(s *corev1.Service) { s.Spec.IPFamilies = []corev1.IPFamily{"IPv6"} }))
	if kind.FamilyOf(six.Spec.ClusterIP) != "IPv6" || len(six.Spec.ClusterIPs) != 1 {
		t.Errorf("got %+v", six.Spec)
	}
	single := newServiceAPI(t, "10.96.0.0/28")
	unserved(t, single, newService("dual", policy("RequireDualStack")), metav1.StatusReasonInvalid, "this cluster is not configured for dual-stack services")
	unserved(t, single, newService("six", address("fd00::1")), metav1.StatusReasonInvalid, "IPv6 is not configured on this cluster")
	if s := mustService(t, single, newService("prefers", policy("PreferDualStack"))); len(s.Spec.ClusterIPs) != 1 {
		t.Errorf("got %+v", s.Spec)
	}
}

func TestServiceNodePorts(t *testing.T) {
	a := newServiceAPI(t, "10.96.0.0/24")
	web := mustService(t, a, newService("web", typed("NodePort")))
	port := web.Spec.Ports[0].NodePort
	if port < 30000 || port > 30007 {
		t.Fatalf("got the port %d", port)
	}
	unserved(t, a, newService("taken", nodePort(port)), metav1.StatusReasonInvalid, "spec.ports[0].nodePort: Invalid value: "+fmt.Sprint(port)+": provided port is already allocated")
	unserved(t, a, newService("outside", nodePort(80)), metav1.StatusReasonInvalid, "provided port is not in the valid range. The range of valid ports is 30000-30007")
	dns := mustService(t, a, newService("dns", typed("NodePort"), func(s *corev1.Service) {
		s.Spec.Ports = []corev1.ServicePort{{Name: "tcp", Port: 53}, {Name: "udp", Port: 53, Protocol: "UDP"}}
	}))
	if first := dns.Spec.Ports[0].NodePort; first == 0 || first != dns.Spec.Ports[1].NodePort || first == port {
		t.Errorf("one port in two protocols: %+v", dns.Spec.Ports)
	}
	if s := changed(t, a, "web", func(s *corev1.Service) { s.Spec.Ports[0].NodePort = 0 }); s.Spec.Ports[0].NodePort != port {
		t.Errorf("the port is not kept: %+v", s.Spec.Ports)
	}
	if s := changed(t, a, "web", typed("ClusterIP")); s.Spec.Ports[0].NodePort != 0 || s.Spec.ClusterIP != web.Spec.ClusterIP {
		t.Errorf("after a change of type: %+v", s.Spec)
	}
	again := mustService(t, a, newService("again", nodePort(port)))
	balancer := mustService(t, a, newService("balancer", typed("LoadBalancer"), func(s *corev1.Service) { s.Spec.ExternalTrafficPolicy = "Local" }))
	if got := balancer.Spec; got.HealthCheckNodePort == 0 || got.HealthCheckNodePort == got.Ports[0].NodePort || got.Ports[0].NodePort == 0 {
		t.Errorf("got %+v", got)
	}
	none := mustService(t, a, newService("none", typed("LoadBalancer"), func(s *corev1.Service) { s.Spec.AllocateLoadBalancerNodePorts = new(false) }))
	if none.Spec.Ports[0].NodePort != 0 {
		t.Errorf("got %+v", none.Spec)
	}
	for _, name := range []string{again.Name, balancer.Name, dns.Name} {
		if _, _, err := a.Delete(t.Context(), services(name), metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 { // all are free again
		mustService(t, a, newService(fmt.Sprint("s", i), typed("NodePort")))
	}
	unserved(t, a, newService("late", typed("NodePort")), metav1.StatusReasonInternalError, "failed to allocate a nodePort: range is full")
}

// Many servers give addresses and ports at the same time, and none twice.
func TestServicesRace(t *testing.T) {
	s := storetest.New(t)
	masters := []*resource.API{resource.New(s, kind.All()), resource.New(s, kind.All()), resource.New(s, kind.All())}
	create(t, masters[0], target(kind.Namespace, "", ""), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
	create(t, masters[0], target(kind.ServiceCIDR, "", ""), &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: kind.DefaultServiceCIDR}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"10.96.0.0/26"}},
	})
	const each = 12 // of three, more than half of the range: they meet often
	var wg sync.WaitGroup
	for m, master := range masters {
		wg.Go(func() {
			for i := range each {
				if _, err := master.Create(context.Background(), services(""), newService(fmt.Sprintf("s-%d-%d", m, i), typed("NodePort")), metav1.CreateOptions{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	fixed := make([]error, len(masters))
	for m, master := range masters {
		wg.Go(func() {
			_, fixed[m] = master.Create(context.Background(), services(""), newService(fmt.Sprint("fixed-", m), address("10.96.0.9")), metav1.CreateOptions{})
		})
	}
	wg.Wait()
	ips, ports := sets.New[string](), sets.New[int32]()
	list := resource.For[*corev1.Service](masters[0], kind.Service, "").List("", nil)
	for _, s := range list {
		if ips.Has(s.Spec.ClusterIP) || s.Spec.Ports[0].NodePort != 0 && ports.Has(s.Spec.Ports[0].NodePort) {
			t.Errorf("%s has what another one has: %+v", s.Name, s.Spec)
		}
		ips.Insert(s.Spec.ClusterIP)
		ports.Insert(s.Spec.Ports[0].NodePort)
	}
	if got := claimedIPs(masters[0]); len(got) != len(list) || len(list) < each*len(masters) {
		t.Errorf("%d services have %d addresses", len(list), len(got))
	}
	won := slices.DeleteFunc(fixed, func(err error) bool { return err != nil })
	if len(won) > 1 {
		t.Error("one address was given twice")
	}
}

func TestDefaultIngressClass(t *testing.T) {
	a := newAPI(t)
	ingress := func(name string, changes ...func(*networkingv1.Ingress)) *networkingv1.Ingress {
		backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}
		i := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: networkingv1.IngressSpec{DefaultBackend: &backend}}
		for _, change := range changes {
			change(i)
		}
		return object[*networkingv1.Ingress](t, create(t, a, target(kind.Ingress, "default", ""), i))
	}
	if got := ingress("early").Spec.IngressClassName; got != nil {
		t.Errorf("got %q", *got)
	}
	create(t, a, target(kind.IngressClass, "", ""), &networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: "main", Annotations: map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"}},
		Spec:       networkingv1.IngressClassSpec{Controller: "example.com/ingress"},
	})
	if got := ingress("plain").Spec.IngressClassName; got == nil || *got != "main" {
		t.Errorf("got %v", got)
	}
	if got := ingress("own", func(i *networkingv1.Ingress) { i.Spec.IngressClassName = new("own") }).Spec.IngressClassName; *got != "own" {
		t.Errorf("got %q", *got)
	}
	annotated := func(i *networkingv1.Ingress) { i.Annotations = map[string]string{kind.IngressClassAnnotation: "old"} }
	if got := ingress("annotated", annotated).Spec.IngressClassName; got != nil {
		t.Errorf("got %q", *got)
	}
}
