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

// makeNetwork waits until the server has given the node a range, and makes the pod network of it. Until then the node
// is not ready. It says false when the context ended first.
func (a *Agent) makeNetwork(ctx context.Context) bool {
	for wait := networkRetry; ; wait = min(2*wait, networkRetryMax) {
		text, ok := a.podRange(ctx)
		if !ok {
			return false
		}
		err := a.ensureNetwork(ctx, text)
		a.node.set(func() { a.node.networkErr = err })
		if err == nil {
			return true
		}
		a.log.Warn("cannot make the pod network", "error", err, "again", wait)
		select {
		case <-ctx.Done():
			return false
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
