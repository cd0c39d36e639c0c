package nodeagent

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// How long to wait before making the pod network is tried again: first, and at most.
const (
	networkRetry    = time.Second
	networkRetryMax = 30 * time.Second
)

// remembering is a Network of which something is left from before this agent.
type remembering interface {
	// Range is the range that the network has; ok is false when there is none.
	Range(ctx context.Context) (podCIDR netip.Prefix, ok bool, err error)
}

// reuseNetwork lets static pods have addresses before the server can be reached, in the network that is left from an
// earlier agent. The server's word comes later.
func (a *Agent) reuseNetwork(ctx context.Context) {
	left, ok := a.config.Network.(remembering)
	if !ok {
		return
	}
	podCIDR, found, err := left.Range(ctx)
	if err == nil && found {
		err = a.config.Network.Ensure(ctx, podCIDR)
	}
	switch {
	case err != nil:
		a.log.Debug("no pod network is left that can be used", "error", err)
	case found:
		a.openNetwork()
	}
}

// openNetwork lets pods have addresses.
func (a *Agent) openNetwork() { a.networkOnce.Do(func() { close(a.network) }) }

// makeNetwork waits until the server has given the node a range, and makes the pod network of it. Until then the node
// is not ready.
func (a *Agent) makeNetwork(ctx context.Context) {
	a.reuseNetwork(ctx)
	for wait := networkRetry; ; wait = min(2*wait, networkRetryMax) {
		text, ok := a.podRange(ctx)
		if !ok {
			return
		}
		err := a.ensureNetwork(ctx, text)
		a.node.set(func() { a.node.networkErr = err })
		if err == nil {
			a.openNetwork()
			return
		}
		a.log.Warn("cannot make the pod network", "error", err, "again", wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (a *Agent) ensureNetwork(ctx context.Context, text string) error {
	podCIDR, err := netip.ParsePrefix(text)
	if err != nil {
		return fmt.Errorf("the node's pod range: %w", err)
	}
	if err := a.config.Network.Ensure(ctx, podCIDR); err != nil {
		return fmt.Errorf("making the pod network: %w", err)
	}
	return nil
}

// podRange waits for node.spec.podCIDR.
func (a *Agent) podRange(ctx context.Context) (string, bool) {
	for {
		object, next := a.node.current()
		if object != nil && object.Spec.PodCIDR != "" {
			return object.Spec.PodCIDR, true
		}
		select {
		case <-ctx.Done():
			return "", false
		case <-next:
		}
	}
}
