package nodeagent

import (
	"context"
	"errors"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	requestTimeout = 10 * time.Second // for one request to the server
	checkEvery     = 10 * time.Second // of the machine and the engine
	retryAfter     = 2 * time.Second  // a request that failed
	imagesEvery    = time.Minute      // of the list of images
)

// node is the agent's own Node: as the API has it, and as it must be.
type node struct {
	agent   *Agent
	changed chan struct{} // a token when something below changed

	mu         sync.Mutex
	object     *corev1.Node  // nil: the API has none
	next       chan struct{} // closed when the object changes
	synced     bool          // the API has answered
	networkErr error         // nil once the pod network is there
	engineErr  error

	imagesAt time.Time // when they were last listed; of keep alone
	last     facts
}

func newNode(a *Agent) *node {
	return &node{agent: a, changed: make(chan struct{}, 1), next: make(chan struct{}), networkErr: errors.New("the pod network is not ready: the node has no pod range yet")}
}

func (n *node) wake() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// set changes what is known under the lock and wakes who acts on it.
func (n *node) set(change func()) {
	n.mu.Lock()
	change()
	n.mu.Unlock()
	n.wake()
}

// current is the Node as the API has it, nil when it has none, and a channel that is closed at its next change.
func (n *node) current() (*corev1.Node, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.object, n.next
}

// take notes the Node's state in the API.
func (n *node) take(object *corev1.Node) {
	n.mu.Lock()
	n.object = object
	close(n.next)
	n.next = make(chan struct{})
	n.mu.Unlock()
}

func (n *node) healthy() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return errors.Join(n.engineErr, n.networkErr)
}

// keep registers the node and keeps labels and status as they must be: after changes at once, else by the clock.
func (n *node) keep(ctx context.Context) {
	for {
		wait := checkEvery
		if err := n.step(ctx); err != nil && ctx.Err() == nil {
			n.agent.log.Warn("cannot keep the node's status", "error", err)
			wait = retryAfter
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-n.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// step brings the Node one step closer to what it must be.
func (n *node) step(ctx context.Context) error {
	f := n.look(ctx)
	n.mu.Lock()
	object, synced := n.object, n.synced
	n.mu.Unlock()
	if !synced {
		return nil // the watch wakes us
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if object == nil {
		return n.create(ctx, f)
	}
	if err := n.label(ctx, object, f); err != nil {
		return err
	}
	return n.report(ctx, object, f)
}

// look asks machine and engine how they are.
func (n *node) look(ctx context.Context) facts {
	a := n.agent
	f := facts{machine: a.machine, name: a.config.NodeName, ip: a.config.NodeIP, port: a.config.Port, version: a.config.Version,
		engine: n.last.engine, images: n.last.images, runtimes: n.last.runtimes}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	engine, err := a.config.Runtime.Version(ctx)
	if err == nil {
		f.engine = engine
	}
	n.mu.Lock()
	n.engineErr = err
	n.mu.Unlock()
	if host, hostErr := a.config.Runtime.Host(ctx); err == nil && hostErr == nil {
		f.runtimes = host.Runtimes
	}
	if now := time.Now(); err == nil && now.Sub(n.imagesAt) >= imagesEvery {
		if images, err := a.config.Runtime.Images(ctx); err == nil {
			f.images, n.imagesAt = images, now
		}
	}
	if problem := errors.Join(n.healthy(), a.shutdown.Status()); problem != nil {
		f.notReady = problem.Error()
	}
	f.short = a.pressure.Conditions()
	n.last = f
	return f
}
