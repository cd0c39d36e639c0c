package controller

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/allocate"
	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// serviceIPs repairs what ties services to their addresses and node ports, should somebody have cut it: what is written
// with a service is whole, but users may delete an IPAddress, and etcd may be changed by other ways.
type serviceIPs struct {
	api       *resource.API
	services  resource.Typed[*corev1.Service]
	ranges    resource.Typed[*networkingv1.ServiceCIDR]
	addresses resource.Typed[*networkingv1.IPAddress]
	events    *event.Source
	now       func() time.Time
}

const (
	// leakGrace is how long an address may belong to a service that is not there.
	leakGrace = 60 * time.Second
	// portsAgain is how often the node ports of all services are looked over.
	portsAgain = 3 * time.Minute
)

// serviceIPKey names a service, an address, or (neither) all node ports.
type serviceIPKey struct {
	service types.NamespacedName
	address string
}

func newServiceIPs(e *environment) component {
	const user = "system:controller:service-ip-repair"
	c := &serviceIPs{
		api:       e.api,
		services:  resource.For[*corev1.Service](e.api, kind.Service, user),
		ranges:    resource.For[*networkingv1.ServiceCIDR](e.api, kind.ServiceCIDR, user),
		addresses: resource.For[*networkingv1.IPAddress](e.api, kind.IPAddress, user),
		events:    e.events.From("ipallocator-repair-controller"),
		now:       e.now,
	}
	return &loop[serviceIPKey]{
		name:    "serviceip",
		workers: 2,
		sources: []source[serviceIPKey]{
			{of(e.api, kind.Service), func(e store.Event, add func(serviceIPKey)) {
				add(serviceIPKey{service: types.NamespacedName{Namespace: e.Item.Key.Namespace, Name: e.Item.Key.Name}})
				add(serviceIPKey{})
			}},
			{of(e.api, kind.IPAddress), c.ofAddress},
		},
		reconcile: c.reconcile,
	}
}

// ofAddress gives the address, and the service that it is of.
func (c *serviceIPs) ofAddress(e store.Event, add func(serviceIPKey)) {
	add(serviceIPKey{address: e.Item.Key.Name})
	if a, ok := decoded[*networkingv1.IPAddress](e.Item); ok && allocate.OfService(a) {
		add(serviceIPKey{service: types.NamespacedName{Namespace: a.Spec.ParentRef.Namespace, Name: a.Spec.ParentRef.Name}})
	}
}

func (c *serviceIPs) reconcile(ctx context.Context, key serviceIPKey) (time.Duration, error) {
	switch {
	case key.address != "":
		return c.checkAddress(ctx, key.address)
	case key.service.Name != "":
		return 0, c.checkService(ctx, key.service)
	}
	return portsAgain, c.api.RepairNodePorts(ctx)
}

// checkService makes the IPAddresses that a service lacks.
func (c *serviceIPs) checkService(ctx context.Context, key types.NamespacedName) error {
	s, ok := c.services.Get(key.Namespace, key.Name)
	if !ok {
		return nil
	}
	for _, ip := range allocate.ClaimedAddresses(s) {
		family := kind.FamilyOf(ip)
		if len(rangesOf(ip, c.ranges.List("", nil))) == 0 {
			c.events.Warning(s, "ClusterIPOutOfRange", "Cluster IP [%v]: %s is not within any configured Service CIDR; please recreate service", family, ip)
			continue
		}
		a, ok := c.addresses.Get("", ip)
		switch {
		case ok && a.DeletionTimestamp != nil, ok && allocate.BelongsTo(a, s) && wellLabelled(a):
		case !ok:
			c.events.Warning(s, "ClusterIPNotAllocated", "Cluster IP [%v]: %s is not allocated; repairing", family, ip)
			if err := c.claim(ctx, ip, s); err != nil {
				return err
			}
		case c.taken(a, s):
			c.events.Warning(s, "ClusterIPAlreadyAllocated", "Cluster IP [%v]:%s was assigned to multiple services; please recreate service", family, ip)
		default:
			c.events.Warning(s, "ClusterIPNotAllocated", "the ClusterIP [%v]: %s for Service %s/%s has a wrong reference; repairing", family, ip, s.Namespace, s.Name)
			if err := removeSeen(ctx, c.addresses, a, metav1.DeleteOptions{}); err != nil {
				return fmt.Errorf("taking address %s back: %w", ip, err)
			}
			if err := c.claim(ctx, ip, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *serviceIPs) claim(ctx context.Context, ip string, s *corev1.Service) error {
	_, err := c.addresses.Create(ctx, allocate.IPAddress(ip, s))
	if err = ignoreRace(err); err != nil {
		return fmt.Errorf("claiming address %s: %w", ip, err)
	}
	return nil
}

// taken tells whether another service has an address, and says so itself.
func (c *serviceIPs) taken(a *networkingv1.IPAddress, s *corev1.Service) bool {
	if !allocate.OfService(a) || allocate.BelongsTo(a, s) {
		return false
	}
	other, ok := c.services.Get(a.Spec.ParentRef.Namespace, a.Spec.ParentRef.Name)
	return ok && slices.Contains(allocate.ClaimedAddresses(other), a.Name)
}

// checkAddress removes an IPAddress that is labelled as a service's and is none's, after a while.
func (c *serviceIPs) checkAddress(ctx context.Context, ip string) (time.Duration, error) {
	a, ok := c.addresses.Get("", ip)
	if !ok || a.Labels[networkingv1.LabelManagedBy] != allocate.ManagedBy || a.DeletionTimestamp != nil {
		return 0, nil
	}
	if !allocate.OfService(a) {
		c.events.Warning(a, "IPAddressNotAllocated", "IPAddress %s appears to have been modified, not referencing a Service %v: cleaning up", a.Name, a.Spec.ParentRef)
		return 0, removeSeen(ctx, c.addresses, a, metav1.DeleteOptions{})
	}
	parent := a.Spec.ParentRef
	s, ok := c.services.Get(parent.Namespace, parent.Name)
	if ok && slices.Contains(allocate.ClaimedAddresses(s), a.Name) {
		return 0, nil
	}
	if left := leakGrace - c.now().Sub(a.CreationTimestamp.Time); left > 0 {
		return left, nil
	}
	if ok {
		c.events.Warning(a, "IPAddressWrongReference", "IPAddress: %s for Service %s/%s has a wrong reference; cleaning up", a.Name, parent.Namespace, parent.Name)
	} else {
		c.events.Warning(a, "IPAddressNotAllocated", "IPAddress: %s for Service %s/%s appears to have leaked: cleaning up", a.Name, parent.Namespace, parent.Name)
	}
	return 0, removeSeen(ctx, c.addresses, a, metav1.DeleteOptions{})
}

func wellLabelled(a *networkingv1.IPAddress) bool {
	return a.Labels[networkingv1.LabelIPAddressFamily] == string(kind.FamilyOf(a.Name)) &&
		a.Labels[networkingv1.LabelManagedBy] == allocate.ManagedBy
}

// rangesOf are the ranges that an address is of.
func rangesOf(ip string, all []*networkingv1.ServiceCIDR) []*networkingv1.ServiceCIDR {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return nil
	}
	var of []*networkingv1.ServiceCIDR
	for _, r := range all {
		if slices.ContainsFunc(allocate.Prefixes(r), func(p netip.Prefix) bool { return allocate.Contains(p, addr) }) {
			of = append(of, r)
		}
	}
	return of
}
