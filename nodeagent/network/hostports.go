package network

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
)

// hostPorts are the ports of the host that lead to pods which the engine does not know the network of. The kernel
// takes packets there by rules, which stay when the agent goes. Beside them the agent holds a socket for each port, so
// that nobody else on the host takes it, and a port that somebody has is refused.
type hostPorts struct {
	rules firewall

	mu        sync.Mutex
	pods      netip.Prefix
	published map[netip.Addr]publication // by the pod's address
	held      map[Port]io.Closer
}

type publication struct {
	owner string
	ports []Port
}

// firewall is what keeps the rules.
type firewall interface {
	// write makes the rules be these and no others, at once.
	write(pods netip.Prefix, all []redirect) error
	// forget makes what flows to these ports already follow the rules as they are now.
	forget([]Port) error
	// intact says whether what write made is still there.
	intact() (bool, error)
}

// redirect takes what comes for a port of the host to a pod.
type redirect struct {
	Port
	to netip.AddrPort
}

func newHostPorts(rules firewall) *hostPorts {
	return &hostPorts{rules: rules, published: map[netip.Addr]publication{}, held: map[Port]io.Closer{}}
}

// publish lets the ports lead to a pod, instead of to an older sandbox of its owner. It fails with ErrGone when the
// address is not in use any more.
func (h *hostPorts) publish(e Endpoint, inUse func(netip.Addr) bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !inUse(e.Address) {
		return ErrGone
	}
	if slices.Equal(h.published[e.Address].ports, e.Ports) {
		return nil
	}
	wanted := maps.Clone(h.published)
	maps.DeleteFunc(wanted, func(_ netip.Addr, p publication) bool { return p.owner == e.Owner })
	if err := free(wanted, e.Ports); err != nil {
		return err
	}
	wanted[e.Address] = publication{e.Owner, e.Ports}
	if err := h.reserve(e.Ports); err != nil {
		h.letGo()
		return err
	}
	if err := h.change(wanted); err != nil {
		return err
	}
	return h.rules.forget(e.Ports)
}

func free(published map[netip.Addr]publication, ports []Port) error {
	for _, other := range published {
		for _, taken := range other.ports {
			if slices.ContainsFunc(ports, taken.overlaps) {
				return fmt.Errorf("port %s of the host is already taken by another pod", taken)
			}
		}
	}
	return nil
}

// withdraw takes away what leads to an address, which release gives back before somebody can publish it again.
func (h *hostPorts) withdraw(address netip.Addr, release func()) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	release()
	gone, ok := h.published[address]
	if !ok {
		return nil
	}
	wanted := maps.Clone(h.published)
	delete(wanted, address)
	if err := h.change(wanted); err != nil {
		return err
	}
	return h.rules.forget(gone.ports)
}

// replace takes over what an earlier agent published. A port that cannot be held now stays published: its pod runs.
func (h *hostPorts) replace(pods netip.Prefix, endpoints []Endpoint) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pods = pods
	wanted := map[netip.Addr]publication{}
	for _, e := range endpoints {
		if len(e.Ports) == 0 {
			continue
		}
		wanted[e.Address] = publication{e.Owner, e.Ports}
		if err := h.reserve(e.Ports); err != nil {
			slog.Warn("a port of the host that leads to a pod is somebody else's too", "pod", e.Owner, "error", err)
		}
	}
	return h.change(wanted)
}

// mend writes the rules again where somebody has removed them.
func (h *hostPorts) mend() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.published) == 0 {
		return nil
	}
	if intact, err := h.rules.intact(); intact || err != nil {
		return err
	}
	return h.rules.write(h.pods, redirects(h.published))
}

func (h *hostPorts) change(wanted map[netip.Addr]publication) error {
	err := h.rules.write(h.pods, redirects(wanted))
	if err == nil {
		h.published = wanted
	}
	h.letGo()
	return err
}

func redirects(published map[netip.Addr]publication) []redirect {
	var all []redirect
	for _, address := range slices.SortedFunc(maps.Keys(published), netip.Addr.Compare) {
		for _, p := range published[address].ports {
			all = append(all, redirect{p, netip.AddrPortFrom(address, p.Container)})
		}
	}
	// A port of one address of the host comes before that of all.
	slices.SortStableFunc(all, func(a, b redirect) int { return b.HostIP.Compare(a.HostIP) })
	return all
}

// reserve holds the ports that are not held yet.
func (h *hostPorts) reserve(ports []Port) error {
	for _, p := range ports {
		if h.held[p] != nil {
			continue
		}
		socket, err := hold(p)
		if err != nil {
			return fmt.Errorf("taking port %s of the host: %w", p, err)
		}
		h.held[p] = socket
	}
	return nil
}

// letGo closes the sockets of ports that lead nowhere.
func (h *hostPorts) letGo() {
	for port, socket := range h.held {
		used := func(p publication) bool { return slices.Contains(p.ports, port) }
		if !slices.ContainsFunc(slices.Collect(maps.Values(h.published)), used) {
			socket.Close()
			delete(h.held, port)
		}
	}
}

var errIPv6 = errors.New("ports of IPv6 addresses do not lead to pods, which have IPv4 addresses")
