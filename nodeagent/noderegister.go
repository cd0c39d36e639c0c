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
	n.announce(f.notReady)
	return nil
}

func (n *node) announce(notReady string) {
	ready := notReady == ""
	if ready == n.ready {
		return
	}
	n.ready = ready
	reason := "NodeReady"
	if !ready {
		reason = "NodeNotReady"
	}
	n.agent.tell(corev1.EventTypeNormal, reason, fmt.Sprintf("Node %s status is now: %s", n.agent.config.NodeName, reason))
}
