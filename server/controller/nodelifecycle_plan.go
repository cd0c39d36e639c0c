package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nodePlan is what a node's silence, or its return, makes of it.
type nodePlan struct {
	evicts     eviction
	conditions []corev1.NodeCondition // all of them, where some became unknown; else nil
	taints     []corev1.Taint         // all of them
	retaint    bool                   // taints differ from the node's
	again      time.Duration
}

func (p nodePlan) String() string {
	var words []string
	if p.conditions != nil {
		words = append(words, "conditions unknown")
	}
	if p.retaint {
		var taints []string
		for _, t := range p.taints {
			taints = append(taints, t.ToString())
		}
		words = append(words, "taint ["+strings.Join(taints, " ")+"]")
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// nodeSeen is how a node looks from here.
type nodeSeen struct {
	heard     time.Time     // when it was last heard of
	grace     time.Duration // how long it may be silent
	disrupted bool          // no node at all is ready: then it is more likely this server that is cut off
}

// eviction is what becomes of the taints that drive pods away.
type eviction int

const (
	leaveEviction eviction = iota // pods that are being driven away still are, others are not
	startEviction
	spareAll // nobody is driven away
)

// planNode decides from when a node was last heard of. mayEvict is asked once, when a node's pods are to be driven
// away: not all at a time are; where they may not yet, it says in which time to ask again.
func planNode(node *corev1.Node, seen nodeSeen, mayEvict func() (time.Duration, bool), now time.Time) nodePlan {
	var plan nodePlan
	conditions := node.Status.Conditions
	silent := true
	if left := seen.grace - now.Sub(seen.heard); left > 0 {
		plan.again, silent = left, false
	} else {
		plan.again = seen.grace / 8
		if plan.conditions = unknownConditions(node, now); plan.conditions != nil {
			conditions = plan.conditions
		}
	}
	ready := statusOf(conditions, corev1.NodeReady)
	switch {
	case seen.disrupted:
		plan.evicts = spareAll
	case ready == corev1.ConditionFalse && !evicting(node), ready == corev1.ConditionUnknown && silent && !evicting(node):
		wait, ok := mayEvict()
		if ok {
			plan.evicts = startEviction
		}
		plan.again = sooner(plan.again, wait)
	}
	plan.taints = nodeTaints(node, conditions, plan.evicts, now)
	plan.retaint = !slices.EqualFunc(plan.taints, node.Spec.Taints, func(a, b corev1.Taint) bool {
		return a.MatchTaint(&b) && a.Value == b.Value
	})
	return plan
}

// evicting tells whether a node's pods are being driven away because it is lost.
func evicting(node *corev1.Node) bool {
	return slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool {
		return t.Effect == corev1.TaintEffectNoExecute && (t.Key == corev1.TaintNodeNotReady || t.Key == corev1.TaintNodeUnreachable)
	})
}

// reported are the conditions that an agent keeps telling; silence makes them unknown.
var reported = []corev1.NodeConditionType{
	corev1.NodeReady, corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure,
}

// unknownConditions returns the node's conditions with those that nobody tells any more unknown, or nil when
// they say so already.
func unknownConditions(node *corev1.Node, now time.Time) []corev1.NodeCondition {
	conditions := slices.Clone(node.Status.Conditions)
	changed := false
	for _, t := range reported {
		i := slices.IndexFunc(conditions, func(c corev1.NodeCondition) bool { return c.Type == t })
		switch {
		case i < 0:
			conditions = append(conditions, corev1.NodeCondition{
				Type: t, Status: corev1.ConditionUnknown,
				Reason: "NodeStatusNeverUpdated", Message: "Kubelet never posted node status.",
				LastHeartbeatTime: node.CreationTimestamp, LastTransitionTime: metav1.NewTime(now),
			})
		case conditions[i].Status != corev1.ConditionUnknown:
			c := &conditions[i]
			c.Status, c.LastTransitionTime = corev1.ConditionUnknown, metav1.NewTime(now)
			c.Reason, c.Message = "NodeStatusUnknown", "Kubelet stopped posting node status."
		default:
			continue
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return conditions
}

// conditionTaint is a taint that follows a condition.
type conditionTaint struct {
	condition corev1.NodeConditionType
	status    corev1.ConditionStatus
	taint     string
	evicts    bool // NoExecute too
}

// conditionTaints is the table of them. A node that has not told its condition yet counts as not ready.
var conditionTaints = []conditionTaint{
	{corev1.NodeReady, "", corev1.TaintNodeNotReady, false},
	{corev1.NodeReady, corev1.ConditionFalse, corev1.TaintNodeNotReady, true},
	{corev1.NodeReady, corev1.ConditionUnknown, corev1.TaintNodeUnreachable, true},
	{corev1.NodeMemoryPressure, corev1.ConditionTrue, corev1.TaintNodeMemoryPressure, false},
	{corev1.NodeDiskPressure, corev1.ConditionTrue, corev1.TaintNodeDiskPressure, false},
	{corev1.NodePIDPressure, corev1.ConditionTrue, corev1.TaintNodePIDPressure, false},
	{corev1.NodeNetworkUnavailable, corev1.ConditionTrue, corev1.TaintNodeNetworkUnavailable, false},
}

// nodeTaints returns a node's taints with those of the table and of cordoning as they should be; those of
// others stay, and one that was there keeps its time.
func nodeTaints(node *corev1.Node, conditions []corev1.NodeCondition, evicts eviction, now time.Time) []corev1.Taint {
	drives := evicts == startEviction || evicts == leaveEviction && evicting(node)
	var due []corev1.Taint
	for _, row := range conditionTaints {
		if statusOf(conditions, row.condition) != row.status {
			continue
		}
		due = append(due, corev1.Taint{Key: row.taint, Effect: corev1.TaintEffectNoSchedule})
		if row.evicts && drives {
			at := metav1.NewTime(now)
			due = append(due, corev1.Taint{Key: row.taint, Effect: corev1.TaintEffectNoExecute, TimeAdded: &at})
		}
	}
	if node.Spec.Unschedulable {
		at := metav1.NewTime(now)
		due = append(due, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &at})
	}
	var taints []corev1.Taint
	for _, t := range node.Spec.Taints {
		if i := slices.IndexFunc(due, func(d corev1.Taint) bool { return d.MatchTaint(&t) }); i >= 0 {
			due = slices.Delete(due, i, i+1)
		} else if managed(t) {
			continue
		}
		taints = append(taints, t)
	}
	return append(taints, due...)
}

// managed tells a taint that only this controller sets.
func managed(t corev1.Taint) bool {
	if t.Effect == corev1.TaintEffectPreferNoSchedule {
		return false
	}
	return t.Key == corev1.TaintNodeUnschedulable ||
		slices.ContainsFunc(conditionTaints, func(row conditionTaint) bool { return row.taint == t.Key })
}

// statusOf returns a condition's status, empty where it is not told.
func statusOf(conditions []corev1.NodeCondition, t corev1.NodeConditionType) corev1.ConditionStatus {
	for _, c := range conditions {
		if c.Type == t {
			return c.Status
		}
	}
	return ""
}

// heartbeat is what changes as long as a node is alive: its lease is renewed, or its status.
func heartbeat(node *corev1.Node, renewed *metav1.MicroTime) string {
	var status metav1.Time
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionUnknown {
			status = c.LastHeartbeatTime
		}
	}
	return fmt.Sprint(node.UID, renewed, status)
}
