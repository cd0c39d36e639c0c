package docker

import (
	"maps"
	"net/netip"
	"slices"
	"sync"

	"leme/nodeagent/pod"
)

// addresses remembers which sandbox has which address, so that it is given back once, when the sandbox is gone:
// removed here, or by somebody else, as an event or a list tells.
type addresses struct {
	mu   sync.Mutex
	of   map[string]netip.Addr // by sandbox ID
	held map[netip.Addr]bool   // for a sandbox that is being made, perhaps in several attempts
}

// hold keeps an address from being given back with a sandbox that did not start, until it is let go.
func (a *addresses) hold(ip netip.Addr) (letGo func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held[ip] = true
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.held, ip)
	}
}

// keep notes the addresses of sandboxes that are there.
func (a *addresses) keep(all ...pod.Container) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range all {
		if ip, err := netip.ParseAddr(c.IP); err == nil && c.Sandbox {
			a.of[c.ID] = ip
		}
	}
}

// drop forgets a sandbox; free says whether its address may be given back. A list that began before the sandbox was
// removed can have noted it again, so the address may belong to another one by now.
func (a *addresses) drop(id string) (ip netip.Addr, free bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ip, free = a.of[id]
	delete(a.of, id)
	free = free && !a.held[ip]
	for _, other := range a.of {
		free = free && other != ip
	}
	return ip, free
}

// has says whether a sandbox has an address.
func (a *addresses) has(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.of[id]
	return ok
}

// noted lists the sandboxes that have addresses.
func (a *addresses) noted() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Keys(a.of))
}

// releaseAddress gives the address of a sandbox back that is gone, whoever removed it.
func (r *Runtime) releaseAddress(id string) {
	r.connections.drop(id)
	if ip, free := r.addresses.drop(id); free && r.Network != nil {
		r.Network.Release(ip)
	}
}
