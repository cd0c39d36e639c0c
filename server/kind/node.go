package kind

import corev1 "k8s.io/api/core/v1"

// Node is a Docker host that runs pods.
var Node = &Kind{
	GroupVersionKind: core("Node"),
	Resource:         "nodes",
	Singular:         "node",
	ShortNames:       []string{"no"},
	New:              makes[corev1.Node](),
	NewList:          makes[corev1.NodeList](),

	// A node is created with its status by the agent that registers it.
	PrepareUpdate: changesOver(func(updated, old *corev1.Node) { updated.Status = old.Status }),
	PrepareStatus: changesOver(func(updated, old *corev1.Node) { updated.Spec = old.Spec }),
	HasStatus:     true,
}
