package resource

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/allocate"
	"leme/server/kind"
	"leme/server/store"
)

// Services is what services can be given.
type Services struct {
	Families  []corev1.IPFamily // of their addresses, the default first
	NodePorts utilnet.PortRange
}

// DefaultNodePorts are the ports of nodes that services can have, unless an API is told otherwise.
var DefaultNodePorts = utilnet.PortRange{Base: 30000, Size: 2768}

// WithServices sets what services can be given. The default is IPv4 addresses and DefaultNodePorts.
func WithServices(s Services) Option {
	return func(a *API) { a.services = s }
}

// serviceOf is the service that is written, or nil.
func serviceOf(obj runtime.Object) *corev1.Service {
	s, _ := obj.(*corev1.Service)
	return s
}

// serviceFamilies gives a service back what it had, and the families of the addresses that it is to have.
func serviceFamilies(_ context.Context, a *API, w admission) error {
	s, old := serviceOf(w.object), serviceOf(w.old)
	if s == nil {
		return nil
	}
	allocate.Keep(s, old)
	return invalid(w.Target, s.Name, allocate.Families(s, old, a.services.Families))
}

// serviceAddresses gives a service its addresses.
func serviceAddresses(ctx context.Context, a *API, w admission) error {
	s := serviceOf(w.object)
	if s == nil {
		return nil
	}
	return w.allocated(allocate.Addresses(s, serviceOf(w.old), &addressPool{ctx, a}))
}

// serviceNodePorts gives a service its ports on the nodes.
func serviceNodePorts(ctx context.Context, a *API, w admission) error {
	s := serviceOf(w.object)
	if s == nil {
		return nil
	}
	return w.allocated(allocate.NodePorts(s, serviceOf(w.old), &portPool{ctx, a, map[int32]bool{}}))
}

// allocated gives a failed allocation its Kubernetes form.
func (w admission) allocated(err error) error {
	var wrong *field.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return invalid(w.Target, metaOf(w.object).GetName(), field.ErrorList{wrong})
	}
	return apierrors.NewInternalError(err)
}

// addressPool is the addresses that nobody has claimed, as far as this server knows.
type addressPool struct {
	ctx context.Context
	api *API
}

func (p *addressPool) Take(text string) error {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return fmt.Errorf("reading the address: %w", err)
	}
	inside := false
	p.api.serviceRanges(func(prefix netip.Prefix) bool {
		inside = allocate.Contains(prefix, ip)
		return !inside
	})
	if !inside {
		return allocate.ErrOutside
	}
	return p.api.unclaimed(p.ctx, store.Key{GroupResource: kind.IPAddress.GroupResource(), Name: ip.String()}, allocate.ErrTaken)
}

func (p *addressPool) Next(family corev1.IPFamily) (string, error) {
	claims, free := p.api.store.Snapshot(kind.IPAddress.GroupResource()), ""
	p.api.serviceRanges(func(prefix netip.Prefix) bool {
		if !allocate.Offers(prefix, family) {
			return true
		}
		for ip := range allocate.AddressesOf(prefix) {
			if name := ip.String(); claims.Get("", name) == nil {
				free = name
				return false
			}
		}
		return true
	})
	if free == "" {
		return "", allocate.ErrFull
	}
	return free, nil
}

// serviceRanges gives the ranges from which addresses are given, until fn returns false.
func (a *API) serviceRanges(fn func(netip.Prefix) bool) {
	a.store.Snapshot(kind.ServiceCIDR.GroupResource()).Ascend("", "", "", func(it *store.Item) bool {
		c, err := typed[*networkingv1.ServiceCIDR](it, nil)
		if err != nil || !allocate.Ready(c) {
			return true
		}
		for _, prefix := range allocate.Prefixes(c) {
			if !fn(prefix) {
				return false
			}
		}
		return true
	})
}

// portPool is the ports that nobody has claimed, as far as this server knows.
type portPool struct {
	ctx   context.Context
	api   *API
	given map[int32]bool
}

func (p *portPool) Take(port int32) error {
	if all := p.api.services.NodePorts; !all.Contains(int(port)) {
		return fmt.Errorf("provided port is not in the valid range. The range of valid ports is %s", all.String())
	}
	if p.given[port] {
		return allocate.ErrPort
	}
	p.given[port] = true
	return p.api.unclaimed(p.ctx, nodePortKey(port), allocate.ErrPort)
}

func (p *portPool) Next() (int32, error) {
	all, claims := p.api.services.NodePorts, p.api.store.Snapshot(nodePorts)
	for port := range allocate.PortsOf(all.Base, all.Size) {
		if !p.given[port] && claims.Get("", strconv.Itoa(int(port))) == nil {
			p.given[port] = true
			return port, nil
		}
	}
	return 0, allocate.ErrFull
}

// unclaimed returns taken when a key is there. What the cache has may be gone already: then etcd is asked.
func (a *API) unclaimed(ctx context.Context, key store.Key, taken error) error {
	if a.store.Snapshot(key.GroupResource).Get("", key.Name) == nil {
		return nil
	}
	snapshot, err := a.store.Consistent(ctx, key.GroupResource)
	if err == nil && snapshot.Get("", key.Name) != nil {
		err = taken
	}
	return err
}
