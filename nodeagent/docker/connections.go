package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// connections remembers the sandboxes that made network namespaces of their own: which process of each is connected.
type connections struct {
	mu sync.Mutex
	of map[string]int // PID by sandbox ID; 0 while it is not connected, unconnected when that failed
}

const unconnected = -1

func (c *connections) set(id string, pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[id] = pid
}

// process is the PID that is connected; own is false for sandboxes that the engine connects.
func (c *connections) process(id string) (pid int, own bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	pid, own = c.of[id]
	return pid, own
}

func (c *connections) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, id)
}

// connector is who connects new sandboxes; nil when the engine does.
func (r *Runtime) connector() Connector {
	if c, ok := r.Network.(Connector); ok && c.Connects() {
		return c
	}
	return nil
}

// connect connects a running sandbox that made its own namespace, unless this very process of it is connected already.
func (r *Runtime) connect(ctx context.Context, c pod.Container, e network.Endpoint) error {
	pid, own := r.connections.process(c.ID)
	if !own {
		r.connections.set(c.ID, 0)
	}
	connector := r.connector()
	if connector == nil || !c.Runs() || pid == c.PID {
		return nil
	}
	if err := connector.Connect(ctx, e, c.ID, c.PID); err != nil {
		return fmt.Errorf("connecting the pod to the network: %w", err)
	}
	r.connections.set(c.ID, c.PID)
	return nil
}

// mend connects a sandbox that an agent started and did not come to connect, or that somebody started again. One whose
// address is another's cannot be joined any more. Whatever else is in the way may pass, and most sandboxes were connected
// by the agent before this one: what runs there runs on, and the next list tries again.
func (r *Runtime) mend(ctx context.Context, c pod.Container, e network.Endpoint) pod.Container {
	switch err := r.connect(ctx, c, e); {
	case err == nil:
	case errors.Is(err, network.ErrGone), errors.Is(err, network.ErrAddressTaken):
		c.State = pod.Unknown
	default:
		r.connections.set(c.ID, unconnected)
		if ctx.Err() == nil {
			r.Logger.Warn("a sandbox may not be on the network", "pod", c.PodNamespace+"/"+c.PodName, "error", err)
		}
	}
	return c
}

// lacksConnection says whether a running sandbox is to be looked at again.
func (r *Runtime) lacksConnection(c pod.Container) bool {
	pid, own := r.connections.process(c.ID)
	return own && c.Runs() && pid != c.PID && r.connector() != nil
}

// joinable refuses what would join a sandbox that could not be connected.
func (r *Runtime) joinable(sandbox string) error {
	if pid, own := r.connections.process(sandbox); own && pid == unconnected {
		return errors.New("the pod is not on the network yet")
	}
	return nil
}

// connectNew connects a sandbox that was just started.
func (r *Runtime) connectNew(ctx context.Context, c pod.Container, e network.Endpoint) error {
	err := r.connect(ctx, c, e)
	if !errors.Is(err, network.ErrGone) {
		return err
	}
	if now, _, inspectErr := r.inspect(ctx, c.ID); inspectErr == nil && now.State == pod.Exited && now.ExitCode != 0 {
		return fmt.Errorf("making a network namespace: %w", syscall.Errno(now.ExitCode))
	}
	return err
}
