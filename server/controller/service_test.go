package controller_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/controller"
	"leme/server/kind"
	"leme/server/resource"
)

// serviceCluster is a cluster whose services can have addresses.
type serviceCluster struct {
	*cluster
	services  resource.Typed[*corev1.Service]
	slices    resource.Typed[*discoveryv1.EndpointSlice]
	endpoints resource.Typed[*corev1.Endpoints] //nolint:staticcheck // deprecated, and part of the API
	ranges    resource.Typed[*networkingv1.ServiceCIDR]
	addresses resource.Typed[*networkingv1.IPAddress]
}

func newServiceCluster(t *testing.T) *serviceCluster {
	c := newCluster(t, "a")
	s := &serviceCluster{
		cluster:   c,
		services:  resource.For[*corev1.Service](c.api, kind.Service, tester),
		slices:    resource.For[*discoveryv1.EndpointSlice](c.api, kind.EndpointSlice, tester),
		endpoints: resource.For[*corev1.Endpoints](c.api, kind.Endpoints, tester), //nolint:staticcheck // see above
		ranges:    resource.For[*networkingv1.ServiceCIDR](c.api, kind.ServiceCIDR, tester),
		addresses: resource.For[*networkingv1.IPAddress](c.api, kind.IPAddress, tester),
	}
	made(t)(s.ranges.Create(t.Context(), &networkingv1.ServiceCIDR{
		ObjectMeta: metav1.ObjectMeta{Name: "kubernetes"}, Spec: networkingv1.ServiceCIDRSpec{CIDRs: []string{"10.96.0.0/24"}},
	}))
	return s
}

func (c *serviceCluster) make(s *corev1.Service) *corev1.Service {
	c.t.Helper()
	s, err := c.services.Create(c.t.Context(), s)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

func (c *serviceCluster) rangeIs(name string, status metav1.ConditionStatus) func() bool {
	return func() bool {
		r, ok := c.ranges.Get("", name)
		return ok && meta.IsStatusConditionPresentAndEqual(r.Status.Conditions, networkingv1.ServiceCIDRConditionReady, status)
	}
}

// listed are the ready addresses in a service's slices and in its Endpoints, which must be the same.
func (c *serviceCluster) listed(service string) (addresses []string, agree bool) {
	for _, s := range c.slices.List("default", func(s *discoveryv1.EndpointSlice) bool { return s.Labels[discoveryv1.LabelServiceName] == service }) {
		for _, e := range s.Endpoints {
			if *e.Conditions.Ready {
				addresses = append(addresses, e.Addresses...)
			}
		}
	}
	var listed []string
	if e, ok := c.endpoints.Get("default", service); ok {
		for _, subset := range e.Subsets {
			for _, a := range subset.Addresses {
				listed = append(listed, a.IP)
			}
		}
	}
	slices.Sort(addresses)
	slices.Sort(listed)
	return addresses, slices.Equal(addresses, listed)
}

func (c *serviceCluster) lists(service string, want ...string) func() bool {
	return func() bool {
		got, agree := c.listed(service)
		return agree && slices.Equal(got, want)
	}
}

func TestServices(t *testing.T) {
	c := newServiceCluster(t)
	web := c.make(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
	})
	c.await("an empty slice", func() bool {
		return len(c.slices.List("default", nil)) == 1 && len(c.endpoints.List("default", nil)) == 1
	})
	for i, name := range []string{"one", "two"} {
		made(t)(c.pods.Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Labels: map[string]string{"app": "web"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "web:1"}}},
		}))
		c.await(name+" runs", func() bool {
			p, ok := c.pods.Get("default", name)
			return ok && p.Status.Phase == corev1.PodRunning
		})
		made(t)(c.pods.UpdateStatus(t.Context(), "default", name, func(p *corev1.Pod) error {
			p.Status.PodIPs = []corev1.PodIP{{IP: fmt.Sprintf("10.42.0.%d", i+2)}}
			return nil
		}))
	}
	c.await("both are listed", c.lists("web", "10.42.0.2", "10.42.0.3"))

	made(t)(c.pods.Update(t.Context(), "default", "one", func(p *corev1.Pod) error {
		p.Labels["app"] = "other"
		return nil
	}))
	c.await("who is relabelled leaves", c.lists("web", "10.42.0.3"))
	if err := c.pods.Delete(t.Context(), "default", "two", metav1.DeleteOptions{GracePeriodSeconds: new(int64)}); err != nil {
		t.Fatal(err)
	}
	c.await("who goes leaves", c.lists("web"))

	if err := c.addresses.Delete(t.Context(), "", web.Spec.ClusterIP, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("its address is claimed again", func() bool {
		a, ok := c.addresses.Get("", web.Spec.ClusterIP)
		return ok && a.Spec.ParentRef.Name == "web"
	})
	if err := c.services.Delete(t.Context(), "default", "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("nothing is left of it", func() bool {
		return len(c.slices.List("", nil))+len(c.endpoints.List("", nil))+len(c.addresses.List("", nil)) == 0
	})
}

func TestServiceRangeLeaves(t *testing.T) {
	c := newServiceCluster(t)
	c.await("the range is ready", c.rangeIs("kubernetes", metav1.ConditionTrue))
	c.await("the range is protected", func() bool {
		r, _ := c.ranges.Get("", "kubernetes")
		return len(r.Finalizers) == 1
	})
	s := c.make(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	})
	if err := c.ranges.Delete(t.Context(), "", "kubernetes", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("the range waits", c.rangeIs("kubernetes", metav1.ConditionFalse))
	if err := c.services.Delete(t.Context(), s.Namespace, s.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("the range goes", func() bool {
		_, ok := c.ranges.Get("", "kubernetes")
		return !ok
	})
}

func TestKubernetesService(t *testing.T) {
	c := newServiceCluster(t)
	serve := func(host string) (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = controller.Register(ctx, c.api.Store().Client(), host, 6443) })
		return func() { cancel(); running.Wait() }
	}
	stopFirst, stopSecond := serve("10.0.0.2"), serve("10.0.0.3")
	t.Cleanup(stopSecond)
	c.await("both servers are listed", c.lists("kubernetes", "10.0.0.2", "10.0.0.3"))
	s, ok := c.services.Get("default", "kubernetes")
	if !ok || s.Spec.ClusterIP != "10.96.0.1" || s.Spec.Ports[0].Port != 443 || s.Spec.Ports[0].TargetPort.IntVal != 6443 {
		t.Errorf("got %+v", s.Spec)
	}
	stopFirst()
	c.await("one is left", c.lists("kubernetes", "10.0.0.3"))
	if err := c.endpoints.Delete(t.Context(), "default", "kubernetes", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.services.Delete(t.Context(), "default", "kubernetes", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.await("all of it is back", func() bool {
		again, ok := c.services.Get("default", "kubernetes")
		return ok && again.UID != s.UID && again.Spec.ClusterIP == "10.96.0.1" && c.lists("kubernetes", "10.0.0.3")()
	})
}

// TestEndpointsByHandAreMirrored has a service without selector, whose endpoints somebody lists.
func TestEndpointsByHandAreMirrored(t *testing.T) {
	t.Parallel()
	c := newServiceCluster(t)
	c.await("services have addresses", c.rangeIs("kubernetes", metav1.ConditionTrue))
	c.make(&corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 5432}}},
	})
	byHand := &corev1.Endpoints{ //nolint:staticcheck // deprecated, and part of the API
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"},
		Subsets: []corev1.EndpointSubset{{ //nolint:staticcheck // see above
			Addresses: []corev1.EndpointAddress{{IP: "192.0.2.7"}},
			Ports:     []corev1.EndpointPort{{Port: 5432, Protocol: corev1.ProtocolTCP}},
		}},
	}
	made(t)(c.endpoints.Create(t.Context(), byHand))
	mirrored := func(address string) func() bool {
		return func() bool {
			list := c.slices.List("default", func(s *discoveryv1.EndpointSlice) bool { return s.Labels[discoveryv1.LabelServiceName] == "db" })
			return address == "" && len(list) == 0 || len(list) == 1 && len(list[0].Endpoints) == 1 && list[0].Endpoints[0].Addresses[0] == address
		}
	}
	c.await("they are mirrored", mirrored("192.0.2.7"))
	made(t)(c.endpoints.Update(t.Context(), "default", "db", func(e *corev1.Endpoints) error { //nolint:staticcheck // see above
		e.Subsets[0].Addresses[0].IP = "192.0.2.8"
		return nil
	}))
	c.await("the mirror follows", mirrored("192.0.2.8"))
	made(t)(c.services.Update(t.Context(), "default", "db", func(s *corev1.Service) error {
		s.Spec.Selector = map[string]string{"app": "db"}
		return nil
	}))
	c.await("the service lists its own pods now", func() bool {
		list := c.slices.List("default", func(s *discoveryv1.EndpointSlice) bool { return s.Labels[discoveryv1.LabelServiceName] == "db" })
		return len(list) == 1 && list[0].Labels[discoveryv1.LabelManagedBy] == kind.EndpointSliceController
	})
}
