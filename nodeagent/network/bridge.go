// Package network gives a node's pods their network: one bridge network of the Docker Engine whose subnet is the
// node's pod range, with addresses that the agent chooses.
//
// The agent chooses because the engine reuses the lowest free address at once and forgets it over a restart: a client
// that still speaks to a pod that is gone must not reach another one. The engine gets a slice at the top of the range
// for what others attach to the network.
//
// On one host nothing more is needed than the bridge. Pods reach each other over it; the host has the gateway address
// on it and so reaches the pods; and pods reach the outside through the engine's own masquerading, which stays on:
// the engine puts its rules back whenever it restarts or the firewall is flushed, and needs no right of ours. Between
// hosts it would hide the pods' addresses from each other; then rules of our own must take its place. Nothing here
// needs CAP_SYS_RESOURCE; only a host port of a Netns asks for iptables, where the engine uses that.
//
//	net, err := network.New(network.Config{Engine: engine})
//	err = net.Ensure(ctx, netip.MustParsePrefix("10.244.0.0/24"))
//	address, err := net.Allocate(ctx)
//
// What pods need of a network is docker.Network: a name, Allocate and Release. A Bridge leaves connecting them to the
// engine. A Netns, which is a docker.Connector too, uses the same bridge and connects them itself.
package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	mobynet "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// ErrInUse says that containers are on a network that should be changed or removed.
var ErrInUse = errors.New("the pod network is in use")

// Label marks the engine's networks that are ours; its value is the pod range.
const Label = "leme.network"

// Config says which network to keep.
type Config struct {
	Engine *client.Client
	Name   string            // of the network; default leme
	Bridge string            // of the interface on the host; default leme0
	MTU    int               // bytes; default 1450, which leaves room for a tunnel between hosts
	Labels map[string]string // added to the network
}

// Bridge is the pod network of one node. It is safe for concurrent use.
type Bridge struct {
	Config

	ports *hostPorts // of sandboxes that the engine did not connect

	mu   sync.Mutex
	pool *pool // nil until Ensure succeeded
}

var errNoRange = errors.New("the pod network is not ready: the node has no pod range yet")

// New makes a Bridge; Ensure makes the network.
func New(c Config) (*Bridge, error) {
	if c.Engine == nil {
		return nil, errors.New("network: an engine is needed")
	}
	if c.Name == "" {
		c.Name = "leme"
	}
	if c.Bridge == "" {
		c.Bridge = "leme0"
	}
	if c.MTU == 0 {
		c.MTU = 1450
	}
	return &Bridge{Config: c, ports: newHostPorts(nft{c.Bridge})}, nil
}

// Name is the engine's name of the network.
func (b *Bridge) Name() string { return b.Config.Name }

// Ensure makes the network exist with podCIDR, an IPv4 range of /28 or more, and learns which addresses are taken.
// A network with another range is replaced; it fails with ErrInUse while containers are on that.
func (b *Bridge) Ensure(ctx context.Context, podCIDR netip.Prefix) error {
	l, err := newLayout(podCIDR)
	if err != nil {
		return err
	}
	there, err := b.find(ctx)
	if err != nil {
		return err
	}
	if there != nil && !b.matches(*there, l) {
		if err := b.remove(ctx, *there); err != nil {
			return fmt.Errorf("replacing network %s by one with %s: %w", b.Config.Name, podCIDR, err)
		}
		there = nil
	}
	if there == nil {
		if err := b.create(ctx, l); err != nil {
			return err
		}
	}
	return b.learn(ctx, l)
}

// Remake makes the network again if the engine has it no more: somebody removed it while no pod was on it.
func (b *Bridge) Remake(ctx context.Context) (remade bool, err error) {
	b.mu.Lock()
	p := b.pool
	b.mu.Unlock()
	if p == nil {
		return false, errNoRange
	}
	there, err := b.find(ctx)
	if there != nil || err != nil {
		return false, err
	}
	if err := b.create(ctx, p.layout); err != nil && !errdefs.IsConflict(err) { // a conflict is another pod's same effort
		return false, err
	}
	return true, nil
}

// Range is the pod range with which the engine has the network; ok is false when it has none.
func (b *Bridge) Range(ctx context.Context) (podCIDR netip.Prefix, ok bool, err error) {
	there, err := b.find(ctx)
	if err != nil || there == nil {
		return netip.Prefix{}, false, err
	}
	podCIDR, err = netip.ParsePrefix(there.Labels[Label])
	return podCIDR, err == nil, err
}

// Remove removes the network, if it is there.
func (b *Bridge) Remove(ctx context.Context) error {
	there, err := b.find(ctx)
	if err != nil {
		return err
	}
	if there != nil {
		if err := b.remove(ctx, *there); err != nil {
			return fmt.Errorf("removing network %s: %w", b.Config.Name, err)
		}
	}
	b.mu.Lock()
	b.pool = nil
	b.mu.Unlock()
	return b.takeOver(netip.Prefix{}, nil)
}

// Gateway is the host's address in the pod range, invalid until Ensure succeeded.
func (b *Bridge) Gateway() netip.Addr {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pool == nil {
		return netip.Addr{}
	}
	return b.pool.gateway
}

// Allocate reserves an address for a pod.
func (b *Bridge) Allocate(context.Context) (netip.Addr, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pool == nil {
		return netip.Addr{}, errNoRange
	}
	return b.pool.allocate(time.Now())
}

// Release gives an address back; it rests for a while before another pod gets it. Ports of the host that lead there
// are free again, unless they are the engine's.
func (b *Bridge) Release(address netip.Addr) {
	err := b.ports.withdraw(address, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.pool != nil {
			b.pool.release(address, time.Now())
		}
	})
	if err != nil {
		slog.Warn("ports of the host still lead to a pod that is gone", "address", address, "error", err)
	}
}

// inUse says whether an address was given and not given back.
func (b *Bridge) inUse(address netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pool != nil && b.pool.used[address]
}

// find gives the network as the engine has it, nil when there is none, and refuses one that somebody else made.
func (b *Bridge) find(ctx context.Context) (*mobynet.Inspect, error) {
	result, err := b.Engine.NetworkInspect(ctx, b.Config.Name, client.NetworkInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("inspecting network %s: %w", b.Config.Name, err)
	}
	if _, ours := result.Network.Labels[Label]; !ours {
		return nil, fmt.Errorf("the engine has a network %s that is not ours", b.Config.Name)
	}
	return &result.Network, nil
}

func (b *Bridge) matches(there mobynet.Inspect, l layout) bool {
	if len(there.IPAM.Config) != 1 || there.IPAM.Config[0].Subnet != l.subnet {
		return false
	}
	for key, value := range b.options() {
		if there.Options[key] != value {
			return false
		}
	}
	return true
}

func (b *Bridge) options() map[string]string {
	return map[string]string{
		"com.docker.network.bridge.name":                 b.Config.Bridge,
		"com.docker.network.bridge.enable_icc":           "true",
		"com.docker.network.bridge.enable_ip_masquerade": "true",
		"com.docker.network.driver.mtu":                  strconv.Itoa(b.MTU),
		// From version 28 on the engine drops what comes to a container from elsewhere than its host otherwise.
		"com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected",
	}
}

func (b *Bridge) create(ctx context.Context, l layout) error {
	labels := maps.Clone(b.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[Label] = l.subnet.String()
	_, err := b.Engine.NetworkCreate(ctx, b.Config.Name, client.NetworkCreateOptions{
		Driver:  "bridge",
		IPAM:    &mobynet.IPAM{Config: []mobynet.IPAMConfig{{Subnet: l.subnet, Gateway: l.gateway, IPRange: l.engines}}},
		Options: b.options(),
		Labels:  labels,
	})
	if err != nil {
		return fmt.Errorf("creating network %s with %s: %w", b.Config.Name, l.subnet, err)
	}
	return nil
}

func (b *Bridge) remove(ctx context.Context, there mobynet.Inspect) error {
	var names []string
	for _, c := range there.Containers {
		names = append(names, c.Name)
	}
	sandboxes, err := b.sandboxes(ctx)
	if err != nil {
		return err
	}
	for _, s := range sandboxes {
		if s.running {
			names = append(names, s.name)
		}
	}
	if len(names) > 0 {
		slices.Sort(names)
		return fmt.Errorf("%w by %s", ErrInUse, strings.Join(names, ", "))
	}
	return b.discard(ctx, there.ID)
}

func (b *Bridge) discard(ctx context.Context, id string) error {
	_, err := b.Engine.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
