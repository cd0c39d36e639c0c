package controller

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// kubernetesAPI keeps the Service "kubernetes", by which pods reach the API, and lists the servers that live behind it.
type kubernetesAPI struct {
	etcd      *clientv3.Client
	services  resource.Typed[*corev1.Service]
	endpoints resource.Typed[*endpointsObject]
	slices    resource.Typed[*discoveryv1.EndpointSlice]
	ranges    resource.Typed[*networkingv1.ServiceCIDR]
}

// onlyKey is that of a loop that has one thing to look after.
type onlyKey struct{}

func newKubernetesAPI(e *environment) component {
	const user = "system:controller:kubernetes-service"
	c := &kubernetesAPI{
		etcd:      e.api.Store().Client(),
		services:  resource.For[*corev1.Service](e.api, kind.Service, user),
		endpoints: resource.For[*endpointsObject](e.api, kind.Endpoints, user),
		slices:    resource.For[*discoveryv1.EndpointSlice](e.api, kind.EndpointSlice, user),
		ranges:    resource.For[*networkingv1.ServiceCIDR](e.api, kind.ServiceCIDR, user),
	}
	ours := func(e store.Event, add func(onlyKey)) {
		if e.Item.Key.Name == kubernetesName && (e.Item.Key.Namespace == metav1.NamespaceDefault || e.Item.Key.Namespace == "") {
			add(onlyKey{})
		}
	}
	return &loop[onlyKey]{
		name:    "kubernetes",
		workers: 1,
		sources: []source[onlyKey]{
			{c.follow, func(_ store.Event, add func(onlyKey)) { add(onlyKey{}) }},
			{of(e.api, kind.ServiceCIDR), ours},
			{of(e.api, kind.Service), ours},
			{of(e.api, kind.Endpoints), ours},
			{of(e.api, kind.EndpointSlice), ours},
		},
		reconcile: c.reconcile,
	}
}

// follow tells of servers that come and go.
func (c *kubernetesAPI) follow(ctx context.Context, synced func(), fn func(store.Event)) error {
	synced = sync.OnceFunc(synced)
	return followMasters(ctx, c.etcd, func() {
		fn(store.Event{})
		synced()
	})
}

func (c *kubernetesAPI) reconcile(ctx context.Context, _ onlyKey) (time.Duration, error) {
	list, err := masters(ctx, c.etcd)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	first := list[0]
	if list = reachable(list); len(list) > 0 {
		first = list[0]
	}
	if err := c.keepService(ctx, first.Port()); err != nil {
		return 0, fmt.Errorf("keeping the API's service: %w", err)
	}
	listed, slice := kubernetesEndpoints(list)
	if err := c.keepEndpoints(ctx, listed); err != nil {
		return 0, fmt.Errorf("keeping the API's endpoints: %w", err)
	}
	if err := c.keepSlice(ctx, slice); err != nil {
		return 0, fmt.Errorf("keeping the API's endpoint slice: %w", err)
	}
	return 0, nil
}

// keepService makes the service where it is missing, with the first address of the default range. One that is there
// stays as it is.
func (c *kubernetesAPI) keepService(ctx context.Context, port uint16) error {
	if _, ok := c.services.Get(metav1.NamespaceDefault, kubernetesName); ok {
		return nil
	}
	r, ok := c.ranges.Get("", kind.DefaultServiceCIDR)
	if !ok {
		return nil // the key comes back with it
	}
	prefix, err := netip.ParsePrefix(r.Spec.CIDRs[0])
	if err != nil {
		return fmt.Errorf("reading the services' range: %w", err)
	}
	_, err = c.services.Create(ctx, kubernetesService(prefix.Masked().Addr().Next(), port))
	return ignoreRace(err)
}

func (c *kubernetesAPI) keepEndpoints(ctx context.Context, want *endpointsObject) error {
	if _, ok := c.endpoints.Get(want.Namespace, want.Name); !ok {
		_, err := c.endpoints.Create(ctx, want)
		return ignoreRace(err)
	}
	_, err := c.endpoints.Update(ctx, want.Namespace, want.Name, func(is *endpointsObject) error {
		is.Subsets, is.Labels = want.Subsets, withLabels(is.Labels, want.Labels)
		return nil
	})
	return ignoreGone(err)
}

func (c *kubernetesAPI) keepSlice(ctx context.Context, want *discoveryv1.EndpointSlice) error {
	if _, ok := c.slices.Get(want.Namespace, want.Name); !ok {
		_, err := c.slices.Create(ctx, want)
		return ignoreRace(err)
	}
	_, err := c.slices.Update(ctx, want.Namespace, want.Name, func(is *discoveryv1.EndpointSlice) error {
		is.Ports, is.Endpoints, is.Labels = want.Ports, want.Endpoints, withLabels(is.Labels, want.Labels)
		return nil
	})
	return ignoreGone(err)
}
