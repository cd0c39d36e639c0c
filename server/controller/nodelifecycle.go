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
	heard  hearing
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
		heard:  hearing{last: make(map[string]lastHeard)},
		now:    e.now,
	}
	return &loop[objectKey]{
		name:    "nodelifecycle",
		workers: 4,
		sources: []source[objectKey]{
			{of(e.api, kind.Node), itself},
			{of(e.api, kind.Lease), ofNodeLease},
		},
		reconcile: c.reconcile,
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
	heard, allLost := c.heard.note(node.Name, heartbeat(node, renewed), now, c.grace)
	plan := planNode(node, heard, c.grace, allLost, now)
	return plan.again, c.apply(ctx, node, plan)
}

func (c *nodeLifecycle) apply(ctx context.Context, node *corev1.Node, plan nodePlan) error {
	var failed []error
	if plan.conditions != nil {
		failed = append(failed, c.markLost(ctx, node, plan.conditions))
	}
	if plan.retaint {
		_, err := c.nodes.Update(ctx, "", node.Name, func(n *corev1.Node) error {
			n.Spec.Taints = nodeTaints(n, n.Status.Conditions, plan.allLost, c.now())
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
	ready := c.pods.List("", func(p *corev1.Pod) bool {
		_, ready := podReady(p)
		return ready && p.Spec.NodeName == node.Name
	})
	if _, err := sideBySide(len(ready), func(i int) error { return c.markUnready(ctx, ready[i]) }); err != nil {
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
	_, err := c.pods.UpdateStatus(ctx, pod.Namespace, pod.Name, func(p *corev1.Pod) error {
		for i := range p.Status.Conditions {
			if r := &p.Status.Conditions[i]; r.Type == corev1.PodReady && p.UID == pod.UID {
				r.Status, r.LastTransitionTime = corev1.ConditionFalse, metav1.NewTime(c.now())
			}
		}
		return nil
	})
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

// note takes a node's heartbeat; it returns when that last changed, and whether all nodes have been silent.
func (h *hearing) note(node, beat string, now time.Time, grace time.Duration) (at time.Time, allLost bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last[node].beat != beat {
		h.last[node] = lastHeard{beat, now}
	}
	for _, l := range h.last {
		if now.Sub(l.at) < grace {
			return h.last[node].at, false
		}
	}
	return h.last[node].at, true
}

func (h *hearing) forget(node string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.last, node)
}
