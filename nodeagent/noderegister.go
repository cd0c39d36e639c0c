package nodeagent

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// create registers the node.
func (n *node) create(ctx context.Context, f facts) error {
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: f.name, Labels: n.labels(f)}}
	object.Status = f.status(corev1.NodeStatus{}, time.Now())
	made, err := n.agent.client.CoreV1().Nodes().Create(ctx, object, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil // the watch brings it
	} else if err != nil {
		return fmt.Errorf("registering the node: %w", err)
	}
	n.take(made)
	n.announce(corev1.NodeStatus{}, made.Status)
	n.wake()
	return nil
}

func (n *node) labels(f facts) map[string]string {
	labels := f.labels()
	maps.Copy(labels, n.agent.config.Labels)
	return labels
}

// label adds the labels that are missing; those of others stay.
func (n *node) label(ctx context.Context, object *corev1.Node, f facts) error {
	missing := map[string]string{}
	for key, value := range n.labels(f) {
		if object.Labels[key] != value {
			missing[key] = value
		}
	}
	if len(missing) == 0 {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": missing}})
	if err != nil {
		return err
	}
	_, err = n.agent.client.CoreV1().Nodes().Patch(ctx, f.name, types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("labelling the node: %w", err)
	}
	return nil
}

// report sends the status up when it is due.
func (n *node) report(ctx context.Context, object *corev1.Node, f facts) error {
	now := time.Now()
	status := f.status(object.Status, now)
	if !due(object.Status, status, now) {
		return nil
	}
	before, err := json.Marshal(corev1.Node{Status: object.Status})
	if err != nil {
		return err
	}
	after, err := json.Marshal(corev1.Node{Status: status})
	if err != nil {
		return err
	}
	patch, err := strategicpatch.CreateTwoWayMergePatch(before, after, corev1.Node{})
	if err != nil {
		return err
	}
	updated, err := n.agent.client.CoreV1().Nodes().Patch(ctx, f.name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) {
		return nil // deleted just now: the watch brings it, and we register again
	} else if err != nil {
		return fmt.Errorf("reporting the node's status: %w", err)
	}
	n.take(updated)
	n.announce(object.Status, status)
	return nil
}

// announce tells of the conditions that have changed, and of a machine that has started anew.
func (n *node) announce(before, after corev1.NodeStatus) {
	name := n.agent.config.NodeName
	for _, c := range after.Conditions {
		old, was := conditionOf(before, c.Type)
		if was && old.Status == c.Status || !was && c.Type == corev1.NodeReady {
			continue
		}
		if reason := transitions[c.Type][c.Status]; reason != "" {
			n.agent.tell(corev1.EventTypeNormal, reason, fmt.Sprintf("Node %s status is now: %s", name, reason))
		}
	}
	if boot := before.NodeInfo.BootID; boot != "" && boot != after.NodeInfo.BootID {
		n.agent.tell(corev1.EventTypeWarning, "NodeRebooted", fmt.Sprintf("Node %s has been rebooted, boot id: %s", name, after.NodeInfo.BootID))
	}
}

// transitions are the reasons of the events that tell what a condition has become.
var transitions = map[corev1.NodeConditionType]map[corev1.ConditionStatus]string{
	corev1.NodeMemoryPressure: {corev1.ConditionTrue: "NodeHasInsufficientMemory", corev1.ConditionFalse: "NodeHasSufficientMemory"},
	corev1.NodeDiskPressure:   {corev1.ConditionTrue: "NodeHasDiskPressure", corev1.ConditionFalse: "NodeHasNoDiskPressure"},
	corev1.NodePIDPressure:    {corev1.ConditionTrue: "NodeHasInsufficientPID", corev1.ConditionFalse: "NodeHasSufficientPID"},
	corev1.NodeReady:          {corev1.ConditionTrue: "NodeReady", corev1.ConditionFalse: "NodeNotReady"},
}

func conditionOf(s corev1.NodeStatus, t corev1.NodeConditionType) (c corev1.NodeCondition, ok bool) {
	for _, c := range s.Conditions {
		if c.Type == t {
			return c, true
		}
	}
	return c, false
}
