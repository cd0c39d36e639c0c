package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/kind"
	"leme/server/resource"
)

const (
	podSweep     = 20 * time.Second
	maxFinished  = 12_500 // finished pods that are kept
	lostNodeWait = 40 * time.Second
)

// podGC removes the pods that no agent will ever report on again.
type podGC struct {
	pods    resource.Typed[*corev1.Pod]
	nodes   resource.Typed[*corev1.Node]
	missing map[string]time.Time // node names that pods speak of, and since when there is no such node
	now     func() time.Time
}

func newPodGC(e *environment) component {
	return &loop[sweep]{
		name:      "podgc",
		workers:   1,
		sources:   []source[sweep]{{atStart, sweepAll}},
		reconcile: podGCOf(e).reconcile,
	}
}

func podGCOf(e *environment) *podGC {
	const user = "system:controller:pod-garbage-collector"
	return &podGC{
		pods:    resource.For[*corev1.Pod](e.api, kind.Pod, user),
		nodes:   resource.For[*corev1.Node](e.api, kind.Node, user),
		missing: make(map[string]time.Time),
		now:     e.now,
	}
}

// podGCPlan is which pods go, and why.
type podGCPlan []podRemoval

type podRemoval struct {
	pod    *corev1.Pod
	reason string
	orphan bool // its node is gone, which its conditions are to tell
}

// nodeState is what becomes of a node's pods.
type nodeState int

const (
	nodeServes       nodeState = iota
	nodeOutOfService           // somebody vouches that it is off: what is to end there has ended
	nodeGone                   // there has been no such node for long enough
)

func (p podGCPlan) String() string {
	var words []string
	for _, r := range p {
		words = append(words, fmt.Sprintf("delete %s/%s: %s", r.pod.Namespace, r.pod.Name, r.reason))
	}
	return strings.Join(words, "; ")
}

// planPodGC looks at all pods that may have to go.
func planPodGC(pods []*corev1.Pod, state func(node string) nodeState, keepFinished int) podGCPlan {
	var plan podGCPlan
	var finished []*corev1.Pod
	for _, p := range pods {
		leaves := p.DeletionTimestamp != nil
		on := nodeServes
		if p.Spec.NodeName != "" {
			on = state(p.Spec.NodeName)
		}
		switch {
		case on == nodeGone:
			plan = append(plan, podRemoval{p, "its node is gone", true})
		case on == nodeOutOfService && leaves:
			plan = append(plan, podRemoval{p, "its node is out of service", false})
		case p.Spec.NodeName == "" && leaves:
			plan = append(plan, podRemoval{p, "it was never scheduled", false})
		case podFinished(p) && !leaves:
			finished = append(finished, p)
		}
	}
	if excess := len(finished) - keepFinished; excess > 0 {
		slices.SortFunc(finished, evictedFirst)
		for _, p := range finished[:excess] {
			plan = append(plan, podRemoval{p, "it has finished, as have many others", false})
		}
	}
	return plan
}

// evictedFirst orders finished pods: those that their node evicted, which nobody counts, then the oldest.
func evictedFirst(a, b *corev1.Pod) int {
	evicted := func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodFailed && p.Status.Reason == "Evicted" }
	return cmp.Or(falseFirst(!evicted(a), !evicted(b)), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

func (c *podGC) reconcile(ctx context.Context, _ sweep) (time.Duration, error) {
	pods := c.candidates()
	now := c.now()
	plan := planPodGC(pods, func(node string) nodeState {
		since, missing := c.missing[node]
		switch {
		case missing && now.Sub(since) >= lostNodeWait:
			return nodeGone
		case c.outOfService(node):
			return nodeOutOfService
		}
		return nodeServes
	}, maxFinished)
	_, err := sideBySide(len(plan), func(i int) error { return c.remove(ctx, plan[i]) })
	return podSweep, err
}

// outOfService tells a node that does not report, and of which an administrator says that it is off.
func (c *podGC) outOfService(name string) bool {
	node, ok := c.nodes.Get("", name)
	return ok && statusOf(node.Status.Conditions, corev1.NodeReady) != corev1.ConditionTrue &&
		slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeOutOfService })
}

// candidates are the pods that may have to go. Most are left out at a glance: a look at all pods every few seconds
// must not keep them all decoded.
func (c *podGC) candidates() []*corev1.Pod {
	nodes := make(map[string]nodeState) // those that pods speak of, missing ones as gone
	state := func(node string) nodeState {
		s, known := nodes[node]
		if !known {
			if _, exists := c.nodes.Get("", node); !exists {
				s = nodeGone
			} else if c.outOfService(node) {
				s = nodeOutOfService
			}
			nodes[node] = s
		}
		return s
	}
	mayGo := func(g resource.Glance) bool {
		node := g.Field("spec.nodeName")
		switch {
		case node == "" || state(node) == nodeOutOfService:
			return g.MayBeDeleting()
		default:
			return state(node) == nodeGone
		}
	}
	finished := 0
	pods := c.pods.Pick("", func(g resource.Glance) bool {
		if glanceFinished(g) {
			finished++
		}
		return mayGo(g)
	})
	if finished > maxFinished {
		pods = append(pods, c.pods.Pick("", func(g resource.Glance) bool { return glanceFinished(g) && !mayGo(g) })...)
	}
	c.notice(nodes)
	return pods
}

// glanceFinished is podFinished.
func glanceFinished(g resource.Glance) bool {
	phase := corev1.PodPhase(g.Field("status.phase"))
	return phase == corev1.PodSucceeded || phase == corev1.PodFailed
}

// notice remembers since when nodes are missing: one that is only just being registered gets its time.
func (c *podGC) notice(nodes map[string]nodeState) {
	for name, state := range nodes {
		if state != nodeGone {
			delete(c.missing, name)
		} else if _, known := c.missing[name]; !known {
			c.missing[name] = c.now()
		}
	}
	for name := range c.missing {
		if _, spoken := nodes[name]; !spoken {
			delete(c.missing, name)
		}
	}
}

func (c *podGC) remove(ctx context.Context, r podRemoval) error {
	var failed error
	if !podFinished(r.pod) { // it fails first, for whoever counts failures
		_, failed = c.pods.UpdateStatus(ctx, r.pod.Namespace, r.pod.Name, func(p *corev1.Pod) error {
			if p.UID != r.pod.UID {
				return nil
			}
			p.Status.Phase = corev1.PodFailed
			if r.orphan {
				disrupt(p, "DeletionByPodGC", "PodGC: node no longer exists", c.now())
			}
			return nil
		})
	}
	return errors.Join(ignoreGone(failed), removeSeen(ctx, c.pods, r.pod, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}))
}

// disrupt notes on a pod that it did not end by itself.
func disrupt(p *corev1.Pod, reason, message string, now time.Time) {
	kind.SetPodCondition(p, corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue,
		Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(now),
	})
}
