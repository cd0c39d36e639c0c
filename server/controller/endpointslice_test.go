package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

func testService(mutate ...func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", UID: "web", CreationTimestamp: ago(2 * time.Hour)},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: "10.96.0.1", IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol},
			Selector: map[string]string{"app": "web"},
			Ports:    []corev1.ServicePort{{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(8080)}},
		},
	}
	for _, m := range mutate {
		m(s)
	}
	return s
}

// endpointPod is a pod that is ready at an address.
func endpointPod(n int, mutate ...func(*corev1.Pod)) *corev1.Pod {
	p := testPod(fmt.Sprintf("p%03d", n), mutate...)
	if p.Status.PodIPs == nil {
		p.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.42.%d.%d", n/200, n%200+2)}}
		p.Status.PodIP = p.Status.PodIPs[0].IP
	}
	return p
}

func endpointPods(from, to int) (pods []*corev1.Pod) {
	for n := from; n < to; n++ {
		pods = append(pods, endpointPod(n))
	}
	return pods
}

func notReady(p *corev1.Pod)    { p.Status.Conditions = nil }
func terminating(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(ago(0)) }

// planned is a plan for pods, each on a node of its own in a zone, over what earlier plans have made.
func planned(s *corev1.Service, pods []*corev1.Pod, current []*discoveryv1.EndpointSlice) slicePlan {
	nodes := map[string]*corev1.Node{}
	for _, p := range pods {
		nodes[p.Spec.NodeName] = &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name: p.Spec.NodeName, Labels: map[string]string{corev1.LabelTopologyZone: "zone"},
		}}
	}
	return planSlices(sliceState{service: s, pods: pods, nodes: nodes, slices: current})
}

// carriedOut is the slices after a plan.
func carriedOut(current []*discoveryv1.EndpointSlice, plan slicePlan) []*discoveryv1.EndpointSlice {
	named := func(list []*discoveryv1.EndpointSlice, name string) int {
		return slices.IndexFunc(list, func(s *discoveryv1.EndpointSlice) bool { return s.Name == name })
	}
	var after []*discoveryv1.EndpointSlice
	for _, s := range current {
		if named(plan.remove, s.Name) >= 0 {
			continue
		}
		if i := named(plan.update, s.Name); i >= 0 {
			s = plan.update[i]
		}
		after = append(after, s)
	}
	for i, s := range plan.create {
		s.Name = fmt.Sprintf("%s%d", s.GenerateName, len(current)+i)
		after = append(after, s)
	}
	return after
}

func TestPlanSlices(t *testing.T) {
	s := testService()
	first := carriedOut(nil, planned(s, endpointPods(0, 2), nil))
	headless := testService(func(s *corev1.Service) { s.Spec.ClusterIP = corev1.ClusterIPNone })
	for _, tt := range []struct {
		name    string
		service *corev1.Service
		pods    []*corev1.Pod
		current []*discoveryv1.EndpointSlice
		want    string
	}{
		{"nobody", s, nil, nil, "create IPv4[]"},
		{"nobody still", s, nil, carriedOut(nil, planned(s, nil, nil)), ""},
		{"the first", s, endpointPods(0, 2), nil, "create IPv4[10.42.0.2 10.42.0.3]"},
		{"the first, in place of nobody", s, endpointPods(0, 1), carriedOut(nil, planned(s, nil, nil)), "update web-0 IPv4[10.42.0.2]"},
		{"as it is", s, endpointPods(0, 2), first, ""},
		{"one more", s, endpointPods(0, 3), first, "update web-0 IPv4[10.42.0.2 10.42.0.3 10.42.0.4]"},
		{"one less", s, endpointPods(1, 2), first, "update web-0 IPv4[10.42.0.3]"},
		{"all gone", s, nil, first, "update web-0 IPv4[]"},
		{"not ready, but listed", s, []*corev1.Pod{endpointPod(0, notReady), endpointPod(1)}, first, "update web-0 IPv4[10.42.0.2 10.42.0.3]"},
		{"without address", s, []*corev1.Pod{endpointPod(0, func(p *corev1.Pod) { p.Status.PodIPs = []corev1.PodIP{} }), endpointPod(1)}, first, "update web-0 IPv4[10.42.0.3]"},
		{"ended", s, []*corev1.Pod{endpointPod(0, func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }), endpointPod(1)}, first, "update web-0 IPv4[10.42.0.3]"},
		{"other family", testService(func(s *corev1.Service) { s.Spec.IPFamilies = []corev1.IPFamily{"IPv6"} }), endpointPods(0, 1), first, "create IPv6[], delete web-0"},
		{"other ports", testService(func(s *corev1.Service) { s.Spec.Ports[0].TargetPort = intstr.FromInt32(9090) }), endpointPods(0, 2), first, "update web-0 IPv4[10.42.0.2 10.42.0.3]"},
		{"labels", testService(func(s *corev1.Service) { s.Labels = map[string]string{"a": "b"} }), endpointPods(0, 2), first, "update web-0 IPv4[10.42.0.2 10.42.0.3]"},
		{"of a namesake", testService(func(s *corev1.Service) { s.UID = "other" }), endpointPods(0, 1), first, "create IPv4[10.42.0.2], delete web-0"},
		{"headless", headless, endpointPods(0, 1), nil, "create IPv4[10.42.0.2]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan := planned(tt.service, tt.pods, tt.current)
			if got := plan.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			after := carriedOut(tt.current, plan)
			if again := planned(tt.service, tt.pods, after); again.String() != "" {
				t.Errorf("it does not come to rest: %s", again)
			}
		})
	}
}

func TestPlanManySlices(t *testing.T) {
	s := testService()
	sizes := func(list []*discoveryv1.EndpointSlice) (n []int) {
		for _, s := range list {
			n = append(n, len(s.Endpoints))
		}
		return n
	}
	current := carriedOut(nil, planned(s, endpointPods(0, 250), nil))
	if got := sizes(current); !slices.Equal(got, []int{100, 100, 50}) {
		t.Fatalf("250 pods are in slices of %v", got)
	}
	plan := planned(s, endpointPods(0, 270), current)
	if got := sizes(plan.update); len(plan.create) > 0 || !slices.Equal(got, []int{70}) {
		t.Errorf("20 more: %v and %d new", got, len(plan.create))
	}
	plan = planned(s, append(endpointPods(1, 250), endpointPods(300, 302)...), current)
	if got := carriedOut(current, plan); len(plan.update) != 2 || !slices.Equal(sizes(got), []int{100, 100, 51}) {
		t.Errorf("two for one: %v by %d writes", sizes(got), len(plan.update))
	}
}

func TestEndpointOf(t *testing.T) {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{corev1.LabelTopologyZone: "a"}}}
	named := func(p *corev1.Pod) { p.Spec.Hostname, p.Spec.Subdomain = "h", "web" }
	for _, tt := range []struct {
		name    string
		service *corev1.Service
		pod     *corev1.Pod
		want    string // ready serving terminating hostname
	}{
		{"ready", testService(), endpointPod(0), "true true false "},
		{"not ready", testService(), endpointPod(0, notReady), "false false false "},
		{"ending", testService(), endpointPod(0, terminating), "false true true "},
		{"not ready, published", testService(func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true }), endpointPod(0, notReady), "true false false "},
		{"ending, published", testService(func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true }), endpointPod(0, terminating), "true true true "},
		{"named", testService(), endpointPod(0, named), "true true false h"},
		{"named elsewhere", testService(func(s *corev1.Service) { s.Name = "other" }), endpointPod(0, named), "true true false "},
	} {
		e := endpointOf(tt.service, tt.pod, node, corev1.IPv4Protocol)
		got := fmt.Sprint(*e.Conditions.Ready, *e.Conditions.Serving, *e.Conditions.Terminating, " "+ptr.Deref(e.Hostname, ""))
		if got != tt.want || *e.Zone != "a" || *e.NodeName != "node-p000" || e.TargetRef.UID != types.UID("p000") {
			t.Errorf("%s: got %q of %+v", tt.name, got, e)
		}
	}
}

func TestEndpointPorts(t *testing.T) {
	container := corev1.Container{Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP}}}
	sidecar := container.DeepCopy()
	sidecar.Ports[0].Name, sidecar.Ports[0].ContainerPort, sidecar.RestartPolicy = "admin", 9090, ptr.To(corev1.ContainerRestartPolicyAlways)
	p := endpointPod(0, func(p *corev1.Pod) {
		p.Spec.Containers, p.Spec.InitContainers = []corev1.Container{container}, []corev1.Container{*sidecar}
	})
	s := testService(func(s *corev1.Service) {
		for _, name := range []string{"http", "admin", "nothing"} {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "by-" + name, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromString(name)})
		}
	})
	var got []string
	for _, port := range endpointPorts(s, p) {
		got = append(got, fmt.Sprint(*port.Name, *port.Port))
	}
	if want := "by-admin9090 by-http8080 http8080"; strings.Join(got, " ") != want {
		t.Errorf("got %q", got)
	}
}

func TestHints(t *testing.T) {
	near := func(d string) *corev1.Service {
		return testService(func(s *corev1.Service) { s.Spec.TrafficDistribution = &d })
	}
	pods := []*corev1.Pod{endpointPod(0), endpointPod(1, notReady)}
	current := carriedOut(nil, planned(near(corev1.ServiceTrafficDistributionPreferSameNode), pods, nil))
	first, second := current[0].Endpoints[0].Hints, current[0].Endpoints[1].Hints
	if first == nil || first.ForZones[0].Name != "zone" || first.ForNodes[0].Name != "node-p000" || second != nil {
		t.Errorf("got %+v and %+v", first, second)
	}
	plan := planned(near(corev1.ServiceTrafficDistributionPreferSameZone), pods, current)
	if len(plan.update) != 1 || plan.update[0].Endpoints[0].Hints.ForNodes != nil {
		t.Errorf("for zones only: %s", plan)
	}
	if plan = planned(testService(), pods, current); len(plan.update) != 1 || plan.update[0].Endpoints[0].Hints != nil {
		t.Errorf("without preference: %s", plan)
	}
}

func TestTriggerTime(t *testing.T) {
	s := testService()
	current := carriedOut(nil, planned(s, endpointPods(0, 1), nil))
	if got := current[0].Annotations[corev1.EndpointsLastChangeTriggerTime]; got != ago(2*time.Hour).UTC().Format(time.RFC3339Nano) {
		t.Errorf("a new service tells %q", got)
	}
	plan := planned(s, endpointPods(0, 2), current) // the second one has been ready for an hour
	if got := plan.update[0].Annotations[corev1.EndpointsLastChangeTriggerTime]; got != ago(time.Hour).UTC().Format(time.RFC3339Nano) {
		t.Errorf("then %q", got)
	}
	plan = planned(s, nil, carriedOut(current, plan))
	if got, told := plan.update[0].Annotations[corev1.EndpointsLastChangeTriggerTime]; told {
		t.Errorf("a change that nothing dates tells %q", got)
	}
}

func TestMissingNode(t *testing.T) {
	s, pods := testService(), endpointPods(0, 1)
	if plan := planSlices(sliceState{service: s, pods: pods}); plan.String() != "create IPv4[], leave out p000" {
		t.Errorf("got %s", plan)
	}
	s.Spec.PublishNotReadyAddresses = true
	if plan := planSlices(sliceState{service: s, pods: pods}); plan.String() != "create IPv4[10.42.0.2]" {
		t.Errorf("published: %s", plan)
	}
}

func TestPlanEndpoints(t *testing.T) {
	text := func(e *endpointsObject) string {
		var parts []string
		for _, subset := range e.Subsets {
			for _, a := range subset.Addresses {
				parts = append(parts, a.IP)
			}
			for _, a := range subset.NotReadyAddresses {
				parts = append(parts, "-"+a.IP)
			}
			for _, p := range subset.Ports {
				parts = append(parts, fmt.Sprint(p.Name, ":", p.Port))
			}
		}
		return strings.Join(parts, " ")
	}
	s := testService()
	headless := testService(func(s *corev1.Service) {
		s.Spec.ClusterIP, s.Spec.ClusterIPs, s.Spec.Ports = corev1.ClusterIPNone, []string{corev1.ClusterIPNone}, nil
	})
	all := testService(func(s *corev1.Service) { s.Spec.PublishNotReadyAddresses = true })
	for _, tt := range []struct {
		name    string
		service *corev1.Service
		pods    []*corev1.Pod
		want    string
	}{
		{"nobody", s, nil, ""},
		{"two", s, []*corev1.Pod{endpointPod(1), endpointPod(0)}, "10.42.0.2 10.42.0.3 http:8080"},
		{"one not ready", s, []*corev1.Pod{endpointPod(0), endpointPod(1, notReady)}, "10.42.0.2 -10.42.0.3 http:8080"},
		{"one ending", s, []*corev1.Pod{endpointPod(0), endpointPod(1, terminating)}, "10.42.0.2 http:8080"},
		{"all", all, []*corev1.Pod{endpointPod(0, terminating), endpointPod(1, notReady)}, "10.42.0.2 10.42.0.3 http:8080"},
		{"headless", headless, endpointPods(0, 1), "10.42.0.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made := planEndpoints(tt.service, tt.pods, nil)
			if got := text(made); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if again := planEndpoints(tt.service, tt.pods, made); again != nil {
				t.Errorf("it does not come to rest: %+v", again)
			}
			_, labelled := made.Labels[corev1.IsHeadlessService]
			if labelled != (tt.service == headless) || made.Labels[kind.EndpointsManagedBy] != kind.EndpointsController {
				t.Errorf("it is labelled %v", made.Labels)
			}
		})
	}
	many := planEndpoints(s, endpointPods(0, 1001), nil)
	if n := len(many.Subsets[0].Addresses); n != 1000 || many.Annotations[corev1.EndpointsOverCapacity] != "truncated" {
		t.Errorf("%d are listed: %v", n, many.Annotations)
	}
	if fewer := planEndpoints(s, endpointPods(0, 1000), many); fewer.Annotations[corev1.EndpointsOverCapacity] != "" {
		t.Errorf("no longer too many: %v", fewer.Annotations)
	}
}
