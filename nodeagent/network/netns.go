package network

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sync/singleflight"
)

// Netns is a pod network whose sandboxes make network namespaces of their own, which it connects to the bridge. The
// engine has no part in that, and so needs much less time for a pod. What is the engine's still is the bridge itself,
// with the rules by which pods reach the outside. It is safe for concurrent use.
type Netns struct {
	*Bridge

	must    bool
	flights singleflight.Group

	mu        sync.Mutex
	able      bool
	connected map[netip.Addr]connection
}

// connection is a sandbox that is on the network.
type connection struct {
	endpoint  Endpoint
	container string
	pid       int
}

// NewNetns makes a Netns; Ensure makes the network. Where the host or the engine does not let the agent connect pods,
// that is an error if it must, and else the engine connects them, as those of a Bridge.
func NewNetns(c Config, must bool) (*Netns, error) {
	b, err := New(c)
	if err != nil {
		return nil, err
	}
	if why := ableHost(c.Engine); must && why != nil {
		return nil, unable(why)
	}
	return &Netns{Bridge: b, must: must, connected: map[netip.Addr]connection{}}, nil
}

func unable(why error) error {
	return fmt.Errorf("the agent cannot make the network namespaces of pods: %w", why)
}

// Ensure makes the network exist as Bridge.Ensure does, once it has found out who connects pods.
func (n *Netns) Ensure(ctx context.Context, podCIDR netip.Prefix) error {
	why, err := ableEngine(ctx, n.Engine)
	if err != nil {
		return err
	}
	if why != nil && n.must {
		return unable(why)
	}
	if why != nil {
		slog.Info("the engine connects pods to the network", "because", why)
	}
	n.mu.Lock()
	n.able = why == nil
	n.mu.Unlock()
	return n.Bridge.Ensure(ctx, podCIDR)
}

// Connects says whether new sandboxes are to make namespaces of their own; else the engine connects them.
func (n *Netns) Connects() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.able
}

// Connect connects the namespace of a sandbox's process to the network, sets the sysctls of its network and lets the
// ports of the host lead to it. It waits until the process has made its namespace. Doing it again is harmless, and
// mends what is missing. It fails with ErrGone when the process has ended, and ErrAddressTaken when another pod has
// the address.
func (n *Netns) Connect(ctx context.Context, e Endpoint, container string, pid int) error {
	_, err, _ := n.flights.Do(container, func() (any, error) {
		return nil, n.connect(ctx, connection{e, container, pid})
	})
	return err
}

func (n *Netns) connect(ctx context.Context, c connection) error {
	v, err := n.veth(c.endpoint.Address)
	if err != nil {
		return err
	}
	namespace, err := openNamespace(ctx, c.pid, c.container)
	if err != nil {
		return err
	}
	defer namespace.Close()
	if err := n.wire(v, namespace, c.endpoint); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.inUse(c.endpoint.Address) {
		return ErrGone
	}
	n.connected[c.endpoint.Address] = c
	return nil
}

func (n *Netns) wire(v veth, namespace *os.File, e Endpoint) error {
	if err := v.connect(namespace); err != nil {
		return err
	}
	if err := setSysctls(namespace, e.Sysctls); err != nil {
		return err
	}
	return n.ports.publish(e, n.inUse)
}

func (n *Netns) veth(address netip.Addr) (veth, error) {
	n.Bridge.mu.Lock()
	defer n.Bridge.mu.Unlock()
	if n.pool == nil {
		return veth{}, errNoRange
	}
	if !n.pool.subnet.Contains(address) {
		return veth{}, fmt.Errorf("%s is not of the node's pod range %s", address, n.pool.subnet)
	}
	return veth{
		bridge: n.Config.Bridge, mtu: n.MTU, gateway: n.pool.gateway,
		address: netip.PrefixFrom(address, n.pool.subnet.Bits()),
	}, nil
}

// Release gives an address back, and takes away what leads there.
func (n *Netns) Release(address netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.connected, address)
	n.Bridge.Release(address)
}
