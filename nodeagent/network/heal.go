package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// healEvery is how often the network is looked after though no interface went; rules can go unheard.
const healEvery = time.Minute

// Run mends the network until the context ends, when somebody has removed the bridge (as `docker network prune` does:
// for the engine nobody is on it), a pod's interface or the rules of host ports.
func (n *Netns) Run(ctx context.Context) error {
	if ableHost(n.Engine) != nil {
		return nil // nobody is ever connected
	}
	changes := make(chan netlink.LinkUpdate, 64)
	done := make(chan struct{})
	defer close(done)
	err := netlink.LinkSubscribeWithOptions(changes, done, netlink.LinkSubscribeOptions{
		ErrorCallback: func(err error) { slog.Debug("listening to changes of interfaces", "error", err) },
	})
	if err != nil {
		return fmt.Errorf("listening to changes of interfaces: %w", err)
	}
	tick := time.NewTicker(healEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case change, ok := <-changes:
			if !ok {
				changes = nil // the clock goes on
				continue
			}
			n.notice(ctx, change)
			continue
		case <-tick.C:
		}
		n.complain(ctx, n.heal(ctx))
	}
}

func (n *Netns) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		slog.Warn("the pod network is not whole", "error", err)
	}
}

// notice mends what a change took away: the bridge with all that was on it, or one pod's interface.
func (n *Netns) notice(ctx context.Context, change netlink.LinkUpdate) {
	name := change.Attrs().Name
	n.mu.Lock()
	c, ours := n.connectedAs(name)
	n.mu.Unlock()
	switch {
	case name == n.Config.Bridge && change.Header.Type == unix.RTM_DELLINK:
		n.complain(ctx, n.heal(ctx))
	case !ours || plugged(name):
	case !there(n.Config.Bridge): // it takes them all along, and is told of last
		n.complain(ctx, n.heal(ctx))
	default:
		n.complain(ctx, n.again(ctx, c))
	}
}

func there(name string) bool {
	_, err := netlink.LinkByName(name)
	return !notFound(err)
}

func (n *Netns) connectedAs(name string) (connection, bool) {
	for address, c := range n.connected {
		if hostEnd(address) == name {
			return c, true
		}
	}
	return connection{}, false
}

// plugged says whether an interface is on a bridge now; changes tell of the past.
func plugged(name string) bool {
	link, err := netlink.LinkByName(name)
	return err == nil && link.Attrs().MasterIndex != 0
}

// heal makes the network again if need be, and connects again who was.
func (n *Netns) heal(ctx context.Context) error {
	n.Bridge.mu.Lock()
	p := n.pool
	n.Bridge.mu.Unlock()
	if p == nil {
		return nil
	}
	var all []error
	if !there(n.Config.Bridge) {
		all = append(all, n.remake(ctx, p.layout))
	}
	n.mu.Lock()
	connected := slices.Collect(maps.Values(n.connected))
	n.mu.Unlock()
	for _, c := range connected {
		all = append(all, n.again(ctx, c))
	}
	return errors.Join(append(all, n.ports.mend())...)
}

// again connects a sandbox that was; one that has ended is the pod's worker's to replace.
func (n *Netns) again(ctx context.Context, c connection) error {
	err := n.Connect(ctx, c.endpoint, c.container, c.pid)
	if err == nil || errors.Is(err, ErrGone) {
		return nil
	}
	return fmt.Errorf("connecting pod %s again: %w", c.endpoint.Owner, err)
}

// remake makes the network again, whose bridge is gone.
func (n *Netns) remake(ctx context.Context, l layout) error {
	there, err := n.find(ctx)
	if err != nil {
		return err
	}
	if there != nil { // the engine believes in a bridge that it has not
		if err := n.discard(ctx, there.ID); err != nil {
			return err
		}
	}
	return n.create(ctx, l)
}
