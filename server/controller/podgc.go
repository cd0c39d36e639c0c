package controller

import (
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
	orphan bool // its node is gone: it is marked as failed first, for whoever counts failures
}

func (p podGCPlan) String() string {
	var words []string
	for _, r := range p {
		words = append(words, fmt.Sprintf("delete %s/%s: %s", r.pod.Namespace, r.pod.Name, r.reason))
	}
	return strings.Join(words, "; ")
}

// planPodGC looks at all pods. lost tells that a pod's node has been gone for long enough.
func planPodGC(pods []*corev1.Pod, lost func(node string) bool, keepFinished int) podGCPlan {
	var plan podGCPlan
	var finished []*corev1.Pod
	for _, p := range pods {
		switch {
		case p.Spec.NodeName != "" && lost(p.Spec.NodeName):
			plan = append(plan, podRemoval{p, "its node is gone", true})
		case p.Spec.NodeName == "" && p.DeletionTimestamp != nil:
			plan = append(plan, podRemoval{p, "it was never scheduled", false})
		case podFinished(p) && p.DeletionTimestamp == nil:
			finished = append(finished, p)
		}
	}
	if excess := len(finished) - keepFinished; excess > 0 {
		slices.SortStableFunc(finished, func(a, b *corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		for _, p := range finished[:excess] {
			plan = append(plan, podRemoval{p, "it has finished, as have many others", false})
		}
	}
	return plan
}

func (c *podGC) reconcile(ctx context.Context, _ sweep) (time.Duration, error) {
	pods := c.candidates()
	now := c.now()
	plan := planPodGC(pods, func(node string) bool {
		since, ok := c.missing[node]
		return ok && now.Sub(since) >= lostNodeWait
	}, maxFinished)
	_, err := sideBySide(len(plan), func(i int) error { return c.remove(ctx, plan[i]) })
	return podSweep, err
}

// candidates are the pods that may have to go. Most are left out at a glance: a look at all pods every few seconds
// must not keep them all decoded.
func (c *podGC) candidates() []*corev1.Pod {
	nodes := make(map[string]bool) // those that pods speak of, and whether they are missing
	missing := func(node string) bool {
		gone, known := nodes[node]
		if !known {
			_, exists := c.nodes.Get("", node)
			gone = !exists
			nodes[node] = gone
		}
		return gone
	}
	finished := 0
	pods := c.pods.Pick("", func(g resource.Glance) bool {
		if glanceFinished(g) {
			finished++
		}
		if node := g.Field("spec.nodeName"); node != "" {
			return missing(node)
		}
		return g.MayBeDeleting()
	})
	if finished > maxFinished {
		pods = append(pods, c.pods.Pick("", func(g resource.Glance) bool {
			if !glanceFinished(g) {
				return false
			}
			if node := g.Field("spec.nodeName"); node != "" {
				return !missing(node) // those are there already
			}
			return !g.MayBeDeleting()
		})...)
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
func (c *podGC) notice(nodes map[string]bool) {
	for name, missing := range nodes {
		if !missing {
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
	if r.orphan && !podFinished(r.pod) {
		_, failed = c.pods.UpdateStatus(ctx, r.pod.Namespace, r.pod.Name, func(p *corev1.Pod) error {
			p.Status.Phase = corev1.PodFailed
			disrupt(p, "DeletionByPodGC", "PodGC: node no longer exists", c.now())
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
