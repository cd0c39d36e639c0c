package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// nodeLifecycle marks the nodes that are not heard of any more, and those that are again.
type nodeLifecycle struct {
	nodes  resource.Typed[*corev1.Node]
	pods   resource.Typed[*corev1.Pod]
	leases resource.Typed[*coordinationv1.Lease]
	events *event.Source
	grace  time.Duration
	start  time.Duration // the grace of nodes that have told nothing yet
	heard  hearing
	zones  *zones
	first  sync.Once // takes in all nodes before the first is judged
	now    func() time.Time
}

func newNodeLifecycle(e *environment) component {
	const user = "system:controller:node-controller"
	c := &nodeLifecycle{
		nodes:  resource.For[*corev1.Node](e.api, kind.Node, user),
		pods:   resource.For[*corev1.Pod](e.api, kind.Pod, user),
		leases: resource.For[*coordinationv1.Lease](e.api, kind.Lease, user),
		events: e.events.From("node-controller"),
		grace:  e.NodeGrace,
		start:  max(e.NodeGrace, e.NodeEviction.StartupGrace),
		heard:  hearing{last: make(map[string]lastHeard)},
		zones:  newZones(*e.NodeEviction),
		now:    e.now,
	}
	return &loop[objectKey]{
		name:    "nodelifecycle",
		workers: 4,
		sources: []source[objectKey]{
			{of(e.api, kind.Node), c.ofNode},
			{of(e.api, kind.Lease), ofNodeLease},
		},
		reconcile: c.reconcile,
	}
}

// ofNode takes in how a node is, and gives it. When that changes what may be done to others, it gives them all; when the
// first node is heard of again after none was, the others get their full time to be heard too.
func (c *nodeLifecycle) ofNode(e store.Event, add func(objectKey)) {
	itself(e, add)
	node, ok := decoded[*corev1.Node](e.Item)
	if !ok {
		return
	}
	c.first.Do(func() {
		for _, n := range c.nodes.List("", nil) {
			c.zones.see(n, c.now())
		}
	})
	now, wasLost := c.now(), c.zones.disrupted()
	var changed bool
	switch e.Type {
	case watch.Deleted:
		changed = c.zones.forget(node.Name, now)
		c.events.Normal(node, "RemovingNode", "Removing Node %v from Controller", node.Name)
	case watch.Added:
		c.events.Normal(node, "RegisteredNode", "Registered Node %v in Controller", node.Name)
		changed = c.zones.see(node, now)
	default:
		changed = c.zones.see(node, now)
	}
	if !changed {
		return
	}
	switch lost := c.zones.disrupted(); {
	case lost && !wasLost:
		slog.Warn("no node is ready: pods are driven from none")
	case wasLost && !lost:
		slog.Info("some nodes are ready again")
		c.heard.renew(now)
	}
	for _, n := range c.nodes.List("", nil) {
		add(objectKey{Name: n.Name})
	}
}

func ofNodeLease(e store.Event, add func(objectKey)) {
	if e.Item.Key.Namespace == corev1.NamespaceNodeLease {
		add(objectKey{Name: e.Item.Key.Name})
	}
}

func (c *nodeLifecycle) reconcile(ctx context.Context, key objectKey) (time.Duration, error) {
	node, ok := c.nodes.Get("", key.Name)
	if !ok {
		c.heard.forget(key.Name)
		return 0, nil
	}
	var renewed *metav1.MicroTime
	if lease, ok := c.leases.Get(corev1.NamespaceNodeLease, node.Name); ok {
		renewed = lease.Spec.RenewTime
	}
	now := c.now()
	seen := nodeSeen{heard: c.heard.note(node.Name, heartbeat(node, renewed), now), grace: c.grace, disrupted: c.zones.disrupted()}
	if statusOf(node.Status.Conditions, corev1.NodeReady) == "" {
		seen.grace = c.start
	}
	plan := planNode(node, seen, func() (time.Duration, bool) { return c.zones.mayEvict(node.Name, now) }, now)
	return plan.again, c.apply(ctx, node, plan)
}

func (c *nodeLifecycle) apply(ctx context.Context, node *corev1.Node, plan nodePlan) error {
	var failed []error
	if plan.conditions != nil {
		failed = append(failed, c.markLost(ctx, node, plan.conditions))
	}
	if plan.retaint {
		_, err := c.nodes.Update(ctx, "", node.Name, func(n *corev1.Node) error {
			n.Spec.Taints = nodeTaints(n, n.Status.Conditions, plan.evicts, c.now())
			return nil
		})
		failed = append(failed, ignoreGone(err))
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("marking node %s: %w", node.Name, err)
	}
	return nil
}

// markLost says of a node, after its pods, that nothing is known. Its agent tells otherwise when it is back.
func (c *nodeLifecycle) markLost(ctx context.Context, node *corev1.Node, conditions []corev1.NodeCondition) error {
	c.events.Normal(node, "NodeNotReady", "Node %s status is now: NodeNotReady", node.Name)
	slog.Warn("node is not heard of", "node", node.Name)
	pods := c.pods.Pick("", func(g resource.Glance) bool { return g.Field("spec.nodeName") == node.Name })
	if _, err := sideBySide(len(pods), func(i int) error { return c.markUnready(ctx, pods[i]) }); err != nil {
		return err
	}
	_, err := c.nodes.UpdateStatus(ctx, "", node.Name, func(n *corev1.Node) error {
		if n.ResourceVersion != node.ResourceVersion {
			return errNodeChanged
		}
		n.Status.Conditions = conditions
		return nil
	})
	return ignoreGone(err)
}

func (c *nodeLifecycle) markUnready(ctx context.Context, pod *corev1.Pod) error {
	if _, ready := podReady(pod); !ready {
		return nil
	}
	_, err := c.pods.UpdateStatus(ctx, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
		for i := range p.Status.Conditions {
			if r := &p.Status.Conditions[i]; r.Type == corev1.PodReady && p.UID == pod.UID {
				r.Status, r.LastTransitionTime = corev1.ConditionFalse, metav1.NewTime(c.now())
			}
		}
		return nil
	})
	if err == nil {
		c.events.Warning(pod, "NodeNotReady", "Node is not ready")
	}
	return ignoreGone(err)
}

// errNodeChanged tells that a node has spoken while it was being called silent: look again.
var errNodeChanged = errors.New("the node has changed meanwhile")

// hearing is when each node was last heard of, by this server's clock: the nodes' clocks may differ from it
// and from each other. A new leader gives every node its full time.
type hearing struct {
	mu   sync.Mutex
	last map[string]lastHeard
}

type lastHeard struct {
	beat string
	at   time.Time
}

// note takes a node's heartbeat; it returns when that last changed.
func (h *hearing) note(node, beat string, now time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last[node].beat != beat {
		h.last[node] = lastHeard{beat, now}
	}
	return h.last[node].at
}

// renew gives every node its full time from now on.
func (h *hearing) renew(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for node, l := range h.last {
		h.last[node] = lastHeard{l.beat, now}
	}
}

func (h *hearing) forget(node string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.last, node)
}
