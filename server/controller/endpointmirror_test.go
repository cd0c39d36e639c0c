package controller

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

func testEndpoints(subsets ...endpointSubset) *endpointsObject {
	e := &endpointsObject{Subsets: subsets}
	e.Namespace, e.Name, e.UID = "default", "db", "db"
	e.Labels = map[string]string{"tier": "data"}
	e.Annotations = map[string]string{"owner": "me", corev1.LastAppliedConfigAnnotation: "{}"}
	return e
}

func subsetAt(port int32, ready, not []string) endpointSubset {
	s := endpointSubset{Ports: []corev1.EndpointPort{{Port: port, Protocol: corev1.ProtocolTCP}}}
	for _, ip := range ready {
		s.Addresses = append(s.Addresses, corev1.EndpointAddress{IP: ip})
	}
	for _, ip := range not {
		s.NotReadyAddresses = append(s.NotReadyAddresses, corev1.EndpointAddress{IP: ip})
	}
	return s
}

func TestPlanMirror(t *testing.T) {
	e := testEndpoints(subsetAt(5432, []string{"10.0.0.1", "fd00::1"}, []string{"10.0.0.2", "10.0.0.1"}), subsetAt(5432, []string{"10.0.0.3"}, nil), subsetAt(80, []string{"10.0.0.1"}, nil))
	plan, told := planMirror(e, nil)
	if got, want := plan.String(), "create IPv4[10.0.0.1 10.0.0.2 10.0.0.3], create IPv4[10.0.0.1], create IPv6[fd00::1]"; got != want || len(told) != 0 {
		t.Fatalf("got %q, %v", got, told)
	}
	first := plan.create[0]
	if first.Labels["tier"] != "data" || first.Labels[discoveryv1.LabelServiceName] != "db" || len(first.Annotations) != 1 ||
		*first.Endpoints[0].Conditions.Ready != true || *first.Endpoints[1].Conditions.Ready != false || *first.Ports[0].Port != 5432 {
		t.Errorf("got %+v", first)
	}
	for i, s := range plan.create {
		s.Name = fmt.Sprint("db-", i)
	}
	there := plan.create
	if plan, _ := planMirror(e, there); !plan.empty() {
		t.Errorf("mirrored, and still to do: %s", plan)
	}
	e.Subsets = e.Subsets[:1]
	e.Labels = map[string]string{"tier": "other"}
	plan, _ = planMirror(e, there)
	if got, want := plan.String(), "update db-0 IPv4[10.0.0.1 10.0.0.2], update db-2 IPv6[fd00::1], delete db-1"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestMirrorsLeaveOut(t *testing.T) {
	many := subsetAt(80, nil, nil)
	for i := range maxMirrored + 5 {
		many.Addresses = append(many.Addresses, corev1.EndpointAddress{IP: fmt.Sprintf("10.0.%d.%d", i/250, i%250+1)})
	}
	plan, told := planMirror(testEndpoints(many, subsetAt(81, []string{"db.example"}, nil)), nil)
	if len(plan.create) != 1 || len(plan.create[0].Endpoints) != maxMirrored || len(told) != 2 || told[0].reason != "InvalidIPAddress" ||
		told[1].message != "A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 6 addresses were skipped" {
		t.Errorf("got %d slices, told %v", len(plan.create), told)
	}
}
