package network

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// sandbox is one that the network's own agent connects, and not the engine.
type sandbox struct {
	Endpoint
	id, name string
	running  bool
}

// sandboxes lists those of this network, as their labels tell.
func (b *Bridge) sandboxes(ctx context.Context) ([]sandbox, error) {
	list, err := b.Engine.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: make(client.Filters).Add("label", EndpointLabel),
	})
	if err != nil {
		return nil, fmt.Errorf("listing the sandboxes of network %s: %w", b.Config.Name, err)
	}
	var all []sandbox
	for _, c := range list.Items {
		if e, ok := EndpointOf(c.Labels); ok && e.Network == b.Config.Name {
			all = append(all, sandbox{e, c.ID, strings.TrimPrefix(strings.Join(c.Names, " "), "/"), c.State == container.StateRunning})
		}
	}
	return all, nil
}

// learn takes over the addresses of the containers on the network, those that do not run too.
func (b *Bridge) learn(ctx context.Context, l layout) error {
	asked := time.Now()
	taken, err := b.engineAddresses(ctx)
	if err != nil {
		return err
	}
	sandboxes, err := b.sandboxes(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	if b.pool == nil || b.pool.layout != l {
		b.pool = newPool(l)
	}
	var running []Endpoint
	for _, s := range sandboxes {
		taken = append(taken, s.Address)
		if s.running {
			running = append(running, s.Endpoint)
		}
	}
	for _, a := range taken {
		b.pool.learn(a, asked)
	}
	b.mu.Unlock()
	return b.takeOver(l.subnet, running)
}

// engineAddresses are those that the engine gave, or will give again.
func (b *Bridge) engineAddresses(ctx context.Context) ([]netip.Addr, error) {
	list, err := b.Engine.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: make(client.Filters).Add("network", b.Config.Name),
	})
	if err != nil {
		return nil, fmt.Errorf("listing the containers of network %s: %w", b.Config.Name, err)
	}
	var taken []netip.Addr
	for _, c := range list.Items {
		if c.NetworkSettings == nil {
			continue
		}
		if e := c.NetworkSettings.Networks[b.Config.Name]; e != nil {
			taken = append(taken, e.IPAddress)
			if e.IPAMConfig != nil {
				taken = append(taken, e.IPAMConfig.IPv4Address)
			}
		}
	}
	return taken, nil
}

// takeOver makes the host's ports lead to these pods and no others. Where there are none, whoever may not write such
// rules has never written any.
func (b *Bridge) takeOver(subnet netip.Prefix, running []Endpoint) error {
	err := b.ports.replace(subnet, running)
	if err != nil && len(running) == 0 {
		slog.Debug("cannot look for the rules of host ports", "error", err)
		return nil
	}
	return err
}
