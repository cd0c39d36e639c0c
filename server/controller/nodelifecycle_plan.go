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
	allLost    bool
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

// planNode decides from when a node was last heard of. allLost tells that no node at all is heard of: then it
// is more likely this server that is cut off, and no pod is driven away.
func planNode(node *corev1.Node, heard time.Time, grace time.Duration, allLost bool, now time.Time) nodePlan {
	plan := nodePlan{allLost: allLost}
	conditions := node.Status.Conditions
	if left := grace - now.Sub(heard); left > 0 {
		plan.again = left
	} else {
		plan.again = grace / 8
		if plan.conditions = unknownConditions(node, now); plan.conditions != nil {
			conditions = plan.conditions
		}
	}
	plan.taints = nodeTaints(node, conditions, allLost, now)
	plan.retaint = !slices.EqualFunc(plan.taints, node.Spec.Taints, func(a, b corev1.Taint) bool {
		return a.MatchTaint(&b) && a.Value == b.Value
	})
	return plan
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
func nodeTaints(node *corev1.Node, conditions []corev1.NodeCondition, allLost bool, now time.Time) []corev1.Taint {
	var due []corev1.Taint
	for _, row := range conditionTaints {
		if statusOf(conditions, row.condition) != row.status {
			continue
		}
		due = append(due, corev1.Taint{Key: row.taint, Effect: corev1.TaintEffectNoSchedule})
		if row.evicts && !allLost {
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
